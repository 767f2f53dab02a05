import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ok, type Result, refuse, silentLog, toDisposable } from '../../src/base/index.ts';
import type {
  ErrorCode,
  EventDocument,
  HostDocument,
  KeyedDocument,
  QueuedDocument,
  SessionDocument,
  StreamMessage,
} from '../../src/protocol/index.ts';
import {
  type FleetPort,
  type SessionAction,
  serve,
  type TerminalOutlet,
  type TerminalPort,
  type TerminalSeat,
} from '../../src/server/index.ts';
import { hostOf } from './documents.ts';

type Answer<Name extends keyof FleetPort> = Awaited<ReturnType<FleetPort[Name]>>;

/** A daemon of which the test says what it holds and answers, behind the real edge. Every call is on record. */
export class ScriptedFleet implements FleetPort, TerminalPort {
  readonly calls: unknown[] = [];
  sessions: SessionDocument[] = [];
  queued: QueuedDocument[] = [];
  host: HostDocument = hostOf();
  journal: EventDocument[] = [];
  log = new Map<string, Uint8Array>();
  /** Answers in place of the usual ones. */
  answers: { [Name in keyof FleetPort]?: (...args: never[]) => Answer<Name> | Promise<Answer<Name>> } = {};
  openTerminal: (session: string, outlet: TerminalOutlet) => Result<TerminalSeat, ErrorCode> = () =>
    refuse('session/not-live', 'There is no terminal');
  #seq = 100;
  readonly #listeners = new Set<(messages: readonly StreamMessage[]) => void>();
  readonly #eventListeners = new Set<(event: EventDocument) => void>();

  /** Serves on a socket until disposed. */
  async serve(socketPath: string): Promise<AsyncDisposable> {
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
    return await serve({ fleet: this, terminals: this, log: silentLog }, socketPath);
  }

  /** Changes a session, or adds one, and tells the stream. */
  put(session: SessionDocument): void {
    this.sessions = [...this.sessions.filter(({ id }) => id !== session.id), session];
    const upsert: KeyedDocument = { kind: 'session', key: session.id, document: session };
    this.#seq++;
    for (const listener of [...this.#listeners]) listener([{ seq: this.#seq, upsert }]);
  }

  emit(event: EventDocument): void {
    this.journal.push(event);
    for (const listener of [...this.#eventListeners]) listener(event);
  }

  get streams(): number {
    return this.#listeners.size + this.#eventListeners.size;
  }

  status(): Answer<'status'> {
    const counts: Answer<'status'>['counts'] = {};
    for (const { state } of this.sessions) counts[state] = (counts[state] ?? 0) + 1;
    return {
      schema: 'concert/status@1',
      daemon: {
        pid: 4711,
        version: '0.1.0',
        url: null,
        home: '/home/you/state',
        startedAt: '2026-11-22T10:12:00.000Z',
        epoch: 3,
        readOnly: this.host.readOnly,
      },
      counts,
      queued: this.queued.length,
      slots: this.host.slots,
      recovery: this.host.recovery,
    };
  }

  snapshot(): Answer<'snapshot'> {
    const documents: KeyedDocument[] = [
      { kind: 'host', key: 'host', document: this.host },
      ...this.sessions.map((document): KeyedDocument => ({ kind: 'session', key: document.id, document })),
      ...this.queued.map((document): KeyedDocument => ({ kind: 'queued', key: document.task, document })),
    ];
    return { schema: 'concert/snapshot@1', seq: this.#seq, documents };
  }

  subscribe(_since: number | null, listener: (messages: readonly StreamMessage[]) => void): Disposable {
    this.#listeners.add(listener);
    return toDisposable(() => this.#listeners.delete(listener));
  }

  onEvent(listener: (event: EventDocument) => void): Disposable {
    this.#eventListeners.add(listener);
    return toDisposable(() => this.#eventListeners.delete(listener));
  }

  async startTask(...args: Parameters<FleetPort['startTask']>) {
    return await this.#answer('startTask', args, () =>
      ok({
        schema: 'concert/run@1' as const,
        task: 't_newnewnew',
        session: 's_newnewnew',
        state: 'starting' as const,
        name: args[0].name ?? 'new',
        tab: 4,
        needs: null,
      }),
    );
  }

  async removeTask(task: string) {
    return await this.#answer('removeTask', [task], () => done(null, 'Removed from the queue'));
  }

  async act(session: string, action: SessionAction) {
    return await this.#answer('act', [session, action], () => done(session, `Did ${action.type}`));
  }

  explain(session: string): Answer<'explain'> {
    this.calls.push(['explain', session]);
    const because = {
      source: 'hook' as const,
      signal: 'Stop',
      at: '2026-11-22T10:54:00.000Z',
      confidence: 'sure' as const,
      state: 'review' as const,
      detail: null,
    };
    return ok({
      schema: 'concert/explain@1',
      session,
      name: this.sessions.find(({ id }) => id === session)?.name ?? session,
      state: 'review',
      since: because.at,
      because,
      evidence: [because],
      sources: [{ source: 'hook', reports: ['working to review'] }],
    });
  }

  async show(session: string, screen: boolean): Promise<Answer<'show'>> {
    const found = this.sessions.find(({ id }) => id === session);
    if (found === undefined) return refuse('session/not-found', `No session "${session}"`);
    return ok({ schema: 'concert/session@1', session: found, screen: screen ? ['$ make', 'ok\u001b[2J', ''] : null });
  }

  async diff(session: string, patch: boolean): Promise<Answer<'diff'>> {
    this.calls.push(['diff', session, patch]);
    return ok({
      schema: 'concert/diff@1',
      session,
      base: 'abc1234',
      files: [
        { path: 'src/a.ts', from: null, change: 'modified', added: 4, removed: 2 },
        { path: 'logo.png', from: null, change: 'added', added: null, removed: null },
      ],
      added: 4,
      removed: 2,
      patch: patch ? '--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1 +1 @@\n-old\u001b[2J\n+new\n' : null,
      truncated: false,
    });
  }

  async events(since: number, limit: number): Promise<Answer<'events'>> {
    const items = this.journal.filter(({ seq }) => seq > since).slice(0, limit);
    return { schema: 'concert/events@1', items };
  }

  async doctor() {
    return await this.#answer('doctor', [], () => ({
      schema: 'concert/doctor@1' as const,
      ok: true,
      checks: [{ name: 'journal', ok: true, message: 'sound', hint: null }],
    }));
  }

  async demo(action: 'start' | 'stop', env: Readonly<Record<string, string>>) {
    return await this.#answer('demo', [action, env], () => done(null, `Demo: ${action}`));
  }

  async trust(repository: string, hash: string | null) {
    return await this.#answer('trust', [repository, hash], () =>
      ok({
        schema: 'concert/trust@1' as const,
        repository,
        hash: 'h4sh',
        trusted: hash === 'h4sh',
        summary: ['setup: npm ci'],
      }),
    );
  }

  async agents(): Promise<Answer<'agents'>> {
    return [
      { id: 'demo', title: 'Demo', installed: true, version: '1', note: null, simulated: true },
      {
        id: 'claude',
        title: 'Claude Code',
        installed: false,
        version: null,
        note: 'Not found in PATH',
        simulated: false,
      },
    ];
  }

  stop(): void {
    this.calls.push(['stop']);
    this.onStop();
  }
  /** What the daemon does when it is asked to end. */
  onStop: () => void = () => {};

  open(session: string, outlet: TerminalOutlet): Result<TerminalSeat, ErrorCode> {
    return this.openTerminal(session, outlet);
  }

  async readLog(session: string, from: number, chunk: (bytes: Uint8Array) => Promise<void>) {
    const bytes = this.log.get(session);
    if (bytes === undefined) return refuse<ErrorCode>('session/not-found', `No session "${session}"`);
    for (let at = from; at < bytes.length; at += 10) await chunk(bytes.subarray(at, at + 10));
    return ok({ from, to: bytes.length, damaged: false });
  }

  async #answer<Name extends keyof FleetPort>(
    name: Name,
    args: unknown[],
    usual: () => Answer<Name>,
  ): Promise<Answer<Name>> {
    this.calls.push([name, ...args]);
    const own = this.answers[name] as ((...args: unknown[]) => Answer<Name> | Promise<Answer<Name>>) | undefined;
    return own === undefined ? usual() : await own(...args);
  }
}

function done(session: string | null, message: string) {
  return ok({ schema: 'concert/done@1' as const, session, message });
}
