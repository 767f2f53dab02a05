import type { HostDocument, KeyedDocument, QueuedDocument, SessionDocument } from '../../src/protocol/index.ts';

/** Whole documents for tests; say only what matters. */
export function sessionOf(some: Partial<SessionDocument> & { id: string }): SessionDocument {
  return {
    name: some.id,
    tab: null,
    task: some.id.replace('s_', 't_'),
    title: 'a title',
    agent: 'demo',
    project: 'shop-api',
    branch: 'concert/a',
    worktree: '/w/a',
    state: 'working',
    deep: false,
    stateSource: 'osc7501',
    confidence: 'sure',
    stateSince: '2026-11-22T10:52:00.000Z',
    why: 'works',
    liveness: { holder: 'alive', process: 'alive', host: 'alive' },
    pid: 41,
    holderPid: 40,
    incarnation: 1,
    ask: null,
    waitSec: 0,
    footprintMiB: null,
    simulated: false,
    messages: 0,
    paused: false,
    canResume: false,
    exitCode: null,
    driver: null,
    terminalPaused: null,
    notes: [],
    createdAt: '2026-11-22T10:00:00.000Z',
    ...some,
  };
}

export function queuedOf(some: Partial<QueuedDocument> & { task: string }): QueuedDocument {
  return {
    title: 'a queued title',
    priority: 'next',
    needs: 'a free slot (11 of 12 in use)',
    position: 1,
    agent: 'demo',
    project: 'shop-api',
    ...some,
  };
}

export function hostOf(some: Partial<HostDocument> = {}): HostDocument {
  return { host: 'local', slots: { used: 11, total: 12 }, epoch: 1, readOnly: null, recovery: null, ...some };
}

export const keyed = {
  session: (some: Partial<SessionDocument> & { id: string }): KeyedDocument => ({
    kind: 'session',
    key: some.id,
    document: sessionOf(some),
  }),
  queued: (some: Partial<QueuedDocument> & { task: string }): KeyedDocument => ({
    kind: 'queued',
    key: some.task,
    document: queuedOf(some),
  }),
  host: (some: Partial<HostDocument> = {}): KeyedDocument => ({ kind: 'host', key: 'host', document: hostOf(some) }),
};
