import type { Confidence, Priority, SessionState, StateSource } from '../protocol/index.ts';

/**
 * What happened. Events are facts in the past tense, `noun.pastTense`; together, applied in order by `evolve`, they are
 * the whole state. Every field an event needs is in it: applying one reads no clock and rolls no dice.
 */
export type FleetEvent = DurableEvent | VolatileEvent;

/** Kept in the journal. Once one is written its meaning never changes; a field may be added as optional. */
export type DurableEvent =
  | { type: 'daemon.started'; epoch: number; pid: number; version: string; bootId: string; slots: number }
  | { type: 'daemon.stopped' }
  | { type: 'project.added'; project: string; root: string; name: string }
  /** `session` is reserved: dispatch may happen when nobody is there to mint an id. */
  | { type: 'task.added'; task: string; session: string; spec: TaskSpec }
  | { type: 'task.claimed'; task: string; session: string; token: number }
  | { type: 'task.finished'; task: string; session: string; token: number; outcome: 'done' | 'failed' | 'dropped' }
  | { type: 'task.removed'; task: string }
  | { type: 'session.created'; session: string; task: string; name: string; slug: string; tab: number | null }
  | { type: 'session.worktreeReady'; session: string; worktree: WorktreeFacts }
  | { type: 'session.launchRequested'; session: string; incarnation: number; resume: boolean }
  | { type: 'session.processStarted'; session: string; incarnation: number; process: ProcessFacts }
  | { type: 'session.processExited'; session: string; incarnation: number; exit: ExitFacts }
  | { type: 'session.processLost'; session: string; incarnation: number; cause: LossCause; cutState: SessionState }
  | { type: 'session.adopted'; session: string; incarnation: number; holder: string }
  | { type: 'session.stateChanged'; session: string; from: SessionState; to: SessionState; evidence: Evidence }
  /** The state stands, on better proof. */
  | { type: 'session.confirmed'; session: string; evidence: Evidence }
  | { type: 'session.deepened'; session: string; deep: boolean }
  | { type: 'session.stopRequested'; session: string; killAt: number; by: 'person' | 'fleet' }
  | { type: 'session.killed'; session: string }
  | { type: 'session.paused'; session: string }
  | { type: 'session.unpaused'; session: string }
  | { type: 'session.settled'; session: string }
  | { type: 'session.renamed'; session: string; name: string }
  | { type: 'session.tabChanged'; session: string; tab: number | null }
  | { type: 'session.removalRequested'; session: string; force: boolean }
  | { type: 'session.removalRefused'; session: string; message: string }
  | { type: 'session.removed'; session: string; backupRef: string | null }
  /** `first` puts it before all others, else those that steer come first. */
  | { type: 'message.queued'; session: string; message: string; text: string; steer: boolean; first?: true }
  | { type: 'message.sent'; session: string; message: string }
  | { type: 'driver.changed'; session: string; device: string | null }
  | { type: 'recovery.finished'; report: RecoveryReport; bootId: string };

/** Applied and shown, never kept: lost with the daemon and learned anew. */
export type VolatileEvent =
  | { type: 'evidence.seen'; session: string; evidence: Evidence }
  | { type: 'output.seen'; session: string; head: number }
  | { type: 'title.changed'; session: string; title: string }
  | { type: 'footprint.measured'; session: string; footprintMiB: number }
  | { type: 'holder.seen'; holder: string; pid: number; alive: boolean }
  | { type: 'terminal.paused'; session: string; reason: string | null; message: string };

/** Every volatile type; whatever is not listed goes to the journal. */
export const volatileTypes: ReadonlySet<FleetEvent['type']> = new Set([
  'evidence.seen',
  'output.seen',
  'title.changed',
  'footprint.measured',
  'holder.seen',
  'terminal.paused',
] satisfies VolatileEvent['type'][]);

export function isDurable(event: FleetEvent): event is DurableEvent {
  return !volatileTypes.has(event.type);
}

export interface TaskSpec {
  /** One line for lists; made from the prompt or the argv when the person gave none. */
  title: string;
  /** Empty for a plain command. */
  prompt: string;
  project: string;
  agent: string;
  /** The program itself for `generic`, extra arguments otherwise. */
  argv: string[];
  priority: Priority;
  /** Work in the folder the person stands in, without a worktree. */
  inPlace: boolean;
  /** Folder the session runs in when `inPlace`; else the repository it was asked from. */
  cwd: string;
  name: string | null;
  /** A number asks for that tab, `auto` for the lowest free one. */
  tab: number | 'auto' | null;
  columns: number;
  rows: number;
  simulated: boolean;
  /** What the agent can do, as far as the fleet's rules need to know. */
  can: { prompt: boolean; resume: boolean };
}

export interface WorktreeFacts {
  path: string;
  /** Null when in place. */
  branch: string | null;
  /** Commit the branch began at; null when in place outside a repository. */
  baseCommit: string | null;
  /** True when removing the session may remove the folder. */
  isOwned: boolean;
  /** Told to the person once, such as uncommitted files left behind in the base. */
  notes: string[];
}

export interface ProcessFacts {
  holder: string;
  holderPid: number;
  channel: number;
  pid: number;
  /** The agent's own name for the conversation; what a resume asks for. */
  conversation: string | null;
}

export interface ExitFacts {
  code: number | null;
  signal: string | null;
  error: string | null;
  message: string | null;
}

export type LossCause = 'holder-gone' | 'reboot' | 'unknown-channel';

/** One piece of proof. `signal` is the agent's own word for what happened, `detail` is untrusted text made safe to show. */
export interface Evidence {
  source: StateSource;
  signal: string;
  at: number;
  confidence: Confidence;
  detail?: string;
  /** Where in the session's output it was said; a screen that is rebuilt tells nothing up to here again. */
  offset?: number;
  /** What the source says the session is now; absent for evidence that supports but does not decide. */
  state?: SessionState;
}

/** What a starting daemon found, said honestly. Session ids. */
export interface RecoveryReport {
  adopted: string[];
  /** Ended while no daemon was looking; their exit is on record. */
  ended: string[];
  lost: { session: string; cause: LossCause; canResume: boolean; wasCut: boolean }[];
  /** Launches that a crash had interrupted, asked for again. */
  relaunched: string[];
  /** Sessions that live in holders and are not ours; left alone. */
  strangers: string[];
}
