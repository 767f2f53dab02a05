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
  /** Makes evidence out of signals of one running session. */
  readSignals(): SignalReader;
}

export interface Abilities {
  /** A stopped conversation can go on later, in the same folder. */
  resume: boolean;
  fork: boolean;
  /** The conversation's id can be chosen at launch; otherwise it is learned from the first signals. */
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
  /** Already filtered to the allow-list; the adapter adds what its agent needs. */
  env: Readonly<Record<string, string>>;
  /** Set on a resume: the conversation to go on with. */
  conversation: string | null;
  resume: boolean;
  /** A private folder of this session for files the plan wants written. */
  privateDir: string;
  /** What the daemon's hooks listen on; null where the agent has none. */
  hooks: { socket: string; url: string; secret: string } | null;
  detection: Detection;
}

export interface LaunchPlan {
  main: ProcessPlan;
  /** Started before `main`, each awaited until ready, and stopped after it. */
  sidecars: readonly SidecarPlan[];
  /** Written with mode 0600 (0700 when executable) inside the private folder before anything starts. */
  files: readonly { path: string; content: string; executable?: boolean }[];
  conversation: string | null;
  /** True when the prompt is part of the arguments; otherwise it is typed at the first `ready`. */
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

/** Bytes to type, then a pause: agents take a paste and its Enter only as separate writes. */
export interface InputStep {
  bytes: string;
  thenWaitMs: number;
}

/** Raw signals as the daemon gathers them. Text in them is untrusted. */
export type Signal =
  | { kind: 'status'; at: number; records: readonly StatusRecord[] }
  | { kind: 'title'; at: number; title: string }
  | { kind: 'bell'; at: number }
  | { kind: 'notification'; at: number; title: string; body: string }
  | { kind: 'mark'; at: number; mark: 'prompt' | 'command' | 'output' | 'finished'; exitCode: number | null }
  | { kind: 'hook'; at: number; name: string; payload: unknown }
  | { kind: 'file'; at: number; name: string; content: string }
  | { kind: 'server'; at: number; event: unknown }
  /** Nothing printed for this long. */
  | { kind: 'silence'; at: number; silentMs: number }
  | { kind: 'output'; at: number };

/** One OSC 7501 record (draft program status protocol, revision 0.2). */
export interface StatusRecord {
  id: string;
  state: 'idle' | 'working' | 'done' | 'blocked' | 'error' | 'clear';
  kind: 'permission' | 'question' | 'auth' | null;
  message: string | null;
  app: string | null;
  progress: number | null;
}

export interface SignalReader {
  /** Evidence in causal order; empty when the signal says nothing about the state. */
  read(signal: Signal, current: SessionState): readonly Evidence[];
}
