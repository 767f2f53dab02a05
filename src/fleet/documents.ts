import type {
  EvidenceDocument,
  ExplainDocument,
  HostDocument,
  KeyedDocument,
  QueuedDocument,
  SessionDocument,
} from '../protocol/index.ts';
import type { Evidence, FleetEvent } from './events.ts';
import { type FleetState, queuedTasks, type Session, type Task, usedSlots } from './state.ts';

const needsYou = new Set(['blocked', 'failed', 'review']);

/** How the outside sees a session. `now` is ms since the epoch. */
export function sessionDocument(state: FleetState, session: Session, now: number): SessionDocument {
  const task = state.tasks.get(session.task);
  const project = task === undefined ? undefined : state.projects.get(task.spec.project);
  const holder = session.process === null ? undefined : state.holders.get(session.process.holder);
  return {
    id: session.id,
    name: session.name,
    tab: session.tab,
    task: session.task,
    title: task?.spec.title ?? session.name,
    agent: task?.spec.agent ?? 'generic',
    project: project?.name ?? '',
    branch: session.worktree?.branch ?? null,
    worktree: session.worktree?.path ?? null,
    state: session.state,
    deep: session.deep,
    stateSource: session.evidence.source,
    confidence: session.evidence.confidence,
    stateSince: time(session.stateSince),
    why: why(session),
    liveness: {
      holder: session.process === null ? 'gone' : holder?.alive === false ? 'silent' : 'alive',
      process: session.process === null ? 'gone' : 'alive',
      host: 'alive',
    },
    pid: session.process?.pid ?? null,
    holderPid: session.process?.holderPid ?? null,
    incarnation: session.incarnation,
    ask: null,
    waitSec: needsYou.has(session.state) ? Math.max(0, Math.round((now - session.stateSince) / 1000)) : 0,
    footprintMiB: session.footprintMiB,
    simulated: task?.spec.simulated ?? false,
    messages: session.messages.length,
    paused: session.held,
    canResume: session.process === null && task?.spec.can.resume === true,
    exitCode: session.exit?.code ?? null,
    driver: session.driver,
    terminalPaused: session.terminalPaused?.message ?? null,
    notes: session.worktree?.notes ?? [],
    createdAt: time(session.createdAt),
  };
}

export function queuedDocument(state: FleetState, task: Task, position: number): QueuedDocument {
  return {
    task: task.id,
    title: task.spec.title,
    priority: task.spec.priority,
    needs: `a free slot (${usedSlots(state)} of ${state.slots} in use)`,
    position,
    agent: task.spec.agent,
    project: state.projects.get(task.spec.project)?.name ?? '',
  };
}

export function hostDocument(state: FleetState, readOnly: string | null): HostDocument {
  return {
    host: state.host,
    slots: { used: usedSlots(state), total: state.slots },
    epoch: state.epoch,
    readOnly,
    recovery: state.lastRecovery,
  };
}

export function keyedDocuments(state: FleetState, now: number, readOnly: string | null): KeyedDocument[] {
  const documents: KeyedDocument[] = [{ kind: 'host', key: 'host', document: hostDocument(state, readOnly) }];
  for (const session of state.sessions.values()) {
    documents.push({ kind: 'session', key: session.id, document: sessionDocument(state, session, now) });
  }
  queuedTasks(state).forEach((task, index) => {
    documents.push({ kind: 'queued', key: task.id, document: queuedDocument(state, task, index + 1) });
  });
  return documents;
}

/** Of these no document tells; asking for one gets them as they are then. */
const untold: ReadonlySet<FleetEvent['type']> = new Set(['evidence.seen', 'output.seen', 'title.changed']);

/** Which documents an event may have changed, but for what changes with the slots in use: the host and the whole queue. */
export function touches(event: FleetEvent): {
  session: string | null;
  /** All sessions in it. */
  holder: string | null;
  queue: boolean;
  host: boolean;
} {
  const session = 'session' in event && event.type !== 'task.added' && !untold.has(event.type) ? event.session : null;
  return {
    session,
    holder: event.type === 'holder.seen' ? event.holder : null,
    queue: event.type.startsWith('task.'),
    host: event.type.startsWith('daemon.') || event.type === 'recovery.finished',
  };
}

export function explainDocument(session: Session, sources: ExplainDocument['sources']): ExplainDocument {
  return {
    schema: 'concert/explain@1',
    session: session.id,
    name: session.name,
    state: session.state,
    since: time(session.stateSince),
    because: evidenceDocument(session.evidence),
    evidence: [...session.evidenceLog].reverse().map(evidenceDocument),
    sources,
  };
}

function evidenceDocument(evidence: Evidence): EvidenceDocument {
  return {
    source: evidence.source,
    signal: evidence.signal,
    at: time(evidence.at),
    confidence: evidence.confidence,
    state: evidence.state ?? null,
    detail: evidence.detail ?? null,
  };
}

function why(session: Session): string {
  if (session.terminalPaused !== null) return session.terminalPaused.message;
  if (session.stopping !== null) return session.stopping.killed ? 'did not stop by itself, killed' : 'is stopping';
  return session.evidence.detail ?? defaultWhy[session.state];
}

const defaultWhy: Record<Session['state'], string> = {
  starting: 'is starting',
  working: 'works',
  blocked: 'waits for your answer',
  failed: 'failed',
  review: 'finished its turn',
  ready: 'waits for your next message',
  parked: 'waits and wakes by itself',
  asleep: 'process stopped, conversation kept',
  paused: 'messages are held until you resume',
  unknown: 'gives no signal that can be believed',
  lost: 'its process is gone',
  done: 'is done',
};

function time(ms: number): string {
  return new Date(ms).toISOString();
}
