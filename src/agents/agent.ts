import type { Result } from '../base/index.ts';
import type { Evidence } from '../fleet/index.ts';
import type { ErrorCode, SessionState, StateSource } from '../protocol/index.ts';

/**
 * One coding CLI as the daemon sees it. Whatever is odd about a CLI stays behind this interface in its own folder; the
 * daemon never asks which agent it has, only what it can do. Implementations are stateless; what belongs to one running
 * session lives in the `SignalReader` it hands out.
 */
export interface Agent {
  /** Lower case, stable: what `-a` takes and the journal keeps. */
  readonly id: string;
  readonly title: string;
  /** Simulated agents call no model; every surface labels their sessions. */
  readonly isSimulated: boolean;
  readonly abilities: Abilities;
  /**
   * Names of the caller's environment this agent needs beyond the common list of `environment.ts`, such as its own
   * configuration folder or key. A trailing `*` stands for any ending.
   */
  readonly environment: readonly string[];
  /** Which sources this agent speaks through, most believable first, and which changes each can be relied on to tell. */
  readonly sources: readonly SourceTable[];

  /** Looks at this machine now: versions change several times a week, so nothing about them is assumed. */
  detect(probe: Probe): Promise<Detection>;
  /** How to start or resume. Injects all configuration by flag, file of our own or environment; never edits the person's files. */
  launch(request: LaunchRequest): Result<LaunchPlan, ErrorCode>;
  /** What to type to hand over a prompt once the session is ready for one. */
  submit(text: string): readonly InputStep[];
  /** What to type to interrupt the turn; null when the agent cannot be interrupted from the keyboard. */
  interrupt(): readonly InputStep[] | null;
  /** Makes evidence out of the signals of one process; a new process gets a new reader. */
  readSignals(session: RunningSession): SignalReader;
  /**
   * Joins the agent's own server beside its terminal and hands on what it tells as `server` signals; null for an agent
   * without one. The link reconnects by itself until disposed and never throws into the caller.
   */
  connect(session: RunningSession, onSignal: (signal: Signal) => void): AsyncDisposable | null;
}

export interface Abilities {
  /** A stopped conversation can go on later, in the same folder. */
  resume: boolean;
  fork: boolean;
  /** The conversation's id can be chosen at launch; otherwise it is learned from the signals (`SignalReader.conversation`). */
  choosesConversation: boolean;
  /** Understands a prompt at all; a plain command does not. */
  prompts: boolean;
  /** Has a server of its own that runs as a sidecar in the same session. */
  sidecar: boolean;
  /** Ways an ask can be answered from outside, best first. Empty: only by a person at the terminal. */
  answers: readonly ('claude-hook' | 'codex-app-server' | 'opencode-http' | 'acp' | 'keys')[];
}

/** The part of a state machine one source is known to report; a lower source may correct it for the rest. */
export interface SourceTable {
  source: StateSource;
  reports: readonly { from: SessionState | 'any'; to: SessionState }[];
}

/** What an adapter may ask of the machine while detecting. */
export interface Probe {
  env: Readonly<Record<string, string>>;
  /** Full path of a program, or null. */
  which(program: string): Promise<string | null>;
  /** Standard output of a short command, null when it failed or took above 5 s. */
  output(argv: readonly string[]): Promise<string | null>;
  /** Text of a small file, or null. */
  file(path: string): Promise<string | null>;
}

export interface Detection {
  installed: boolean;
  /** Null: this agent has no sign-in, or it cannot be told without asking a server. */
  signedIn: boolean | null;
  version: string | null;
  path: string | null;
  /** One sentence for `concert agents` when something is missing. */
  note: string | null;
}

export interface LaunchRequest {
  session: string;
  incarnation: number;
  /** Folder to run in: the worktree, or the person's own with `--in-place`. */
  cwd: string;
  prompt: string;
  /** The whole program for `generic`, extra arguments otherwise. */
  argv: readonly string[];
  /** Already filtered by `filterEnvironment`; the adapter adds what its agent needs. */
  env: Readonly<Record<string, string>>;
  conversation: ConversationStart;
  /** A private folder of this session, the same for all its processes, for files the plan wants written. */
  privateDir: string;
  /** What the daemon's hooks listen on; null where the agent has none. */
  hooks: { socket: string; url: string; secret: string } | null;
  /** Where the agent's own server may listen: a loopback port found free just now, a short socket path, a password. Null unless `abilities.sidecar`. */
  server: { port: number; socketPath: string; secret: string } | null;
  detection: Detection;
}

/** What a new process begins from. Ids of `fresh` and `fork` are unused UUIDs the agent may take; the plan says whether it did. */
export type ConversationStart =
  | { kind: 'fresh'; id: string }
  /** Null when the session ended before its conversation was learned. */
  | { kind: 'resume'; id: string | null }
  | { kind: 'fork'; from: string; id: string };

export interface LaunchPlan {
  main: ProcessPlan;
  /** Started before `main`, each awaited until ready, and stopped after it. */
  sidecars: readonly SidecarPlan[];
  /** Written with mode 0600 (0700 when executable) inside the private folder before anything starts. */
  files: readonly { path: string; content: string; executable?: boolean }[];
  /** Null until it is learned from the signals. */
  conversation: string | null;
  /** True when nothing is left to type: the plan hands the prompt over, or it is empty. Otherwise it is typed at the first `ready`. */
  carriesPrompt: boolean;
  /** Shown by `concert eject`: how to go on without Concertmaster. */
  nativeResume: readonly string[] | null;
}

export interface ProcessPlan {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  io: 'pty' | 'pipes';
}

export interface SidecarPlan extends ProcessPlan {
  name: string;
  /** How to see that it serves. */
  ready: { kind: 'unix'; path: string } | { kind: 'http'; url: string } | { kind: 'line'; contains: string };
  readyWithinMs: number;
}

/** Facts of one process an adapter needs to find what that process writes about itself. */
export interface RunningSession {
  session: string;
  incarnation: number;
  pid: number;
  cwd: string;
  env: Readonly<Record<string, string>>;
  privateDir: string;
  conversation: string | null;
  server: LaunchRequest['server'];
}

/** Bytes to type, then a pause: agents take a paste and its Enter only as separate writes. */
export interface InputStep {
  bytes: string;
  thenWaitMs: number;
}

/** Raw signals as the daemon gathers them. Text in them is untrusted. */
export type Signal =
  /** The whole table after a change, cleared records left out. */
  | { kind: 'status'; at: number; records: readonly StatusRecord[] }
  | { kind: 'title'; at: number; title: string }
  | { kind: 'bell'; at: number }
  | { kind: 'notification'; at: number; title: string; body: string }
  /** OSC 133 A, B, C and D: a prompt is drawn, the person may type a command, the command runs, it ended. */
  | { kind: 'mark'; at: number; mark: 'prompt' | 'command' | 'output' | 'finished'; exitCode: number | null }
  | { kind: 'hook'; at: number; name: string; payload: unknown }
  /** A watched file changed; `name` as in the `FileWatch`. */
  | { kind: 'file'; at: number; name: string; content: string }
  | { kind: 'server'; at: number; event: unknown }
  /** Nothing printed for this long. */
  | { kind: 'silence'; at: number; silentMs: number }
  | { kind: 'output'; at: number };

/** One OSC 7501 record (draft program status protocol, revision 0.2). */
export interface StatusRecord {
  /** Path of a part of the program; empty for the program itself. */
  id: string;
  state: 'idle' | 'working' | 'done' | 'blocked' | 'error' | 'clear';
  kind: 'permission' | 'question' | 'auth' | null;
  message: string | null;
  app: string | null;
  progress: number | null;
}

/**
 * Feed it every signal once, in order: one heard again after a restart of the daemon would count as news.
 * Text in the evidence it gives is safe to show.
 */
export interface SignalReader {
  /** Evidence in causal order; empty when the signal says nothing about the state. */
  read(signal: Signal, current: SessionState): readonly Evidence[];
  /** The agent's own name for the conversation, as chosen at launch or learned since. Look again after each signal. */
  readonly conversation: string | null;
  /** Files to watch from now on. May grow as signals tell of new ones. */
  readonly watches: readonly FileWatch[];
}

/** A file the agent keeps about itself. It need not exist yet. */
export interface FileWatch {
  name: string;
  path: string;
  /** `whole`: all of it at each change. `tail`: whole lines appended since the last signal. */
  read: 'whole' | 'tail';
}
