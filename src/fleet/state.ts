import type { Priority, SessionState } from '../protocol/index.ts';
import type {
  Evidence,
  ExitFacts,
  LossCause,
  ProcessFacts,
  RecoveryReport,
  TaskSpec,
  WorktreeFacts,
} from './events.ts';

/** Tabs are the digits a person can press. */
export const tabsMax = 9;
/** Messages that may wait for one session; more are refused, since nobody reads that many answers. */
export const messagesMax = 100;
/** Evidence kept per session for `explain`; older pieces go first. */
export const evidenceMax = 50;
/** A turn longer than this is deep work: leave it alone. */
export const deepAfterMs = 10 * 60_000;
/** Between asking a process to stop and killing it; the agents need up to a few seconds to write their conversation. */
export const stopGraceMs = 5_000;

/**
 * All the fleet knows. Owned by one loop; `evolve` is its only writer and replaces a record whenever it changes, so a
 * reader may compare records by identity. Maps keep insertion order, which is the order of creation.
 */
export interface FleetState {
  /** Last durable event applied. */
  seq: number;
  /** Its time, ms since the epoch; no later input may be earlier. */
  at: number;
  /** Of the daemon that drives now; every frame to a holder carries it. */
  epoch: number;
  host: string;
  /** Of the machine when a daemon last looked what is there. */
  bootId: string;
  slots: number;
  projects: Map<string, Project>;
  tasks: Map<string, Task>;
  sessions: Map<string, Session>;
  holders: Map<string, { pid: number; alive: boolean }>;
  lastRecovery: RecoveryReport | null;
  /** From the end of a daemon until the next has seen what is there, the standing rules rest: they would act on hearsay. */
  isResting: boolean;
}

export interface Project {
  id: string;
  root: string;
  name: string;
}

export interface Task {
  id: string;
  spec: TaskSpec;
  addedAt: number;
  /** Id its session gets once dispatched. */
  reserved: string;
  /** Set once dispatched; a task is worked on by one session. */
  session: string | null;
  /** Fencing token of the claim, the session's incarnation. */
  token: number;
  outcome: 'done' | 'failed' | 'dropped' | null;
}

export interface Session {
  id: string;
  task: string;
  name: string;
  slug: string;
  tab: number | null;
  createdAt: number;
  state: SessionState;
  stateSince: number;
  /** What the state rests on. */
  evidence: Evidence;
  /** Newest last, at most `evidenceMax`. */
  evidenceLog: readonly Evidence[];
  deep: boolean;
  worktree: WorktreeFacts | null;
  /** Count of processes this session has had; 0 before the first. */
  incarnation: number;
  /** Asked for and not yet answered; a restart of the daemon asks again. */
  launching: { resume: boolean } | null;
  process: ProcessFacts | null;
  conversation: string | null;
  exit: ExitFacts | null;
  loss: { cause: LossCause; cutState: SessionState } | null;
  /** Set while a stop is under way. */
  stopping: { killAt: number; killed: boolean } | null;
  /** Messages wait until the person lets go. */
  held: boolean;
  removing: { force: boolean } | null;
  messages: readonly QueuedMessage[];
  /** The device whose keys and size count. */
  driver: string | null;
  title: string;
  /** Bytes printed so far, as far as anyone looked. */
  head: number;
  lastOutputAt: number;
  footprintMiB: number | null;
  terminalPaused: { reason: string; message: string } | null;
}

export interface QueuedMessage {
  id: string;
  text: string;
  steer: boolean;
}

export function emptyFleet(host: string): FleetState {
  return {
    seq: 0,
    at: 0,
    epoch: 0,
    host,
    bootId: '',
    slots: 0,
    projects: new Map(),
    tasks: new Map(),
    sessions: new Map(),
    holders: new Map(),
    lastRecovery: null,
    isResting: true,
  };
}

/** A live process occupies a slot, whatever it is doing; so does one on its way. */
export function holdsSlot(session: Session): boolean {
  return session.process !== null || session.launching !== null || session.state === 'starting';
}

/** What a session is, looking through a pause: a turn that ended meanwhile still waits to be looked at. */
export function stateUnderPause(session: Session): SessionState {
  return session.state === 'paused' ? (session.evidence.state ?? 'ready') : session.state;
}

export function usedSlots(state: FleetState): number {
  let used = 0;
  for (const session of state.sessions.values()) if (holdsSlot(session)) used++;
  return used;
}

const rank: Record<Priority, number> = { now: 0, next: 1, later: 2 };

/** Tasks without a session, in the order they will start: by priority, then by age. */
export function queuedTasks(state: FleetState): Task[] {
  const queued: Task[] = [];
  for (const task of state.tasks.values()) if (task.session === null && task.outcome === null) queued.push(task);
  return queued.sort((a, b) => rank[a.spec.priority] - rank[b.spec.priority] || a.addedAt - b.addedAt);
}

/** Output up to here has had its say in what the session is now; a screen rebuilt after a restart is old news so far. */
export function heardTo(session: Session): number {
  return session.evidenceLog.reduce((offset, piece) => Math.max(offset, piece.offset ?? 0), 0);
}

/** Lowest free tab, or null when all are bound. */
export function freeTab(state: FleetState): number | null {
  const taken = new Set<number>();
  for (const session of state.sessions.values()) if (session.tab !== null) taken.add(session.tab);
  for (let tab = 1; tab <= tabsMax; tab++) if (!taken.has(tab)) return tab;
  return null;
}

export function sessionOnTab(state: FleetState, tab: number): Session | undefined {
  for (const session of state.sessions.values()) if (session.tab === tab) return session;
  return undefined;
}
