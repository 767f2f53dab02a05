import type { Refusal, Result } from '../base/index.ts';
import type {
  DiffDocument,
  DoctorDocument,
  DoneDocument,
  ErrorCode,
  EventDocument,
  EventsDocument,
  ExplainDocument,
  RunDocument,
  ShowDocument,
  SnapshotDocument,
  StatusDocument,
  StreamMessage,
  TaskStart,
  TerminalNotice,
  TerminalRequest,
} from '../protocol/index.ts';

/** What the server may ask of the daemon. Everything is already checked for shape; ids are full ids. */
export interface FleetPort {
  status(): StatusDocument;
  snapshot(): SnapshotDocument;
  subscribe(since: number | null, listener: (messages: readonly StreamMessage[]) => void): Disposable;
  startTask(request: TaskStart): Promise<Result<RunDocument, ErrorCode>>;
  removeTask(task: string): Promise<Result<DoneDocument, ErrorCode>>;
  act(session: string, action: SessionAction): Promise<Result<DoneDocument, ErrorCode>>;
  explain(session: string): Result<ExplainDocument, ErrorCode>;
  show(session: string, screen: boolean): Promise<Result<ShowDocument, ErrorCode>>;
  diff(session: string, patch: boolean): Promise<Result<DiffDocument, ErrorCode>>;
  events(since: number, limit: number, session: string | null): Promise<EventsDocument>;
  onEvent(listener: (event: EventDocument) => void): Disposable;
  doctor(): Promise<DoctorDocument>;
  demo(action: 'start' | 'stop', env: Readonly<Record<string, string>>): Promise<Result<DoneDocument, ErrorCode>>;
  trust(repository: string, hash: string | null): Promise<Result<TrustAnswer, ErrorCode>>;
  agents(): Promise<AgentAnswer[]>;
  /** Ends the daemon; sessions live on in their holders. */
  stop(): void;
}

export interface TrustAnswer {
  schema: 'concert/trust@1';
  repository: string;
  hash: string;
  trusted: boolean;
  /** What would run or be copied, for the person to read before saying yes. */
  summary: string[];
}

export interface AgentAnswer {
  id: string;
  title: string;
  installed: boolean;
  version: string | null;
  note: string | null;
  simulated: boolean;
}

export type SessionAction =
  | { type: 'stop' }
  | { type: 'resume'; env: Readonly<Record<string, string>> }
  | { type: 'pause' }
  | { type: 'settle' }
  | { type: 'rename'; name: string }
  | { type: 'tab'; tab: number | null }
  | { type: 'send'; text: string; now: boolean }
  | { type: 'keys'; bytes: Uint8Array }
  | { type: 'remove'; force: boolean };

/** Live terminals and the bytes they print. */
export interface TerminalPort {
  /** One attached terminal from its first message to `Disposable`. Notices and bytes come through `outlet`. */
  open(session: string, outlet: TerminalOutlet): Result<TerminalSeat, ErrorCode>;
  /** The exact bytes from an offset on, until the newest; chunks arrive in order. */
  readLog(
    session: string,
    from: number,
    chunk: (bytes: Uint8Array) => Promise<void>,
  ): Promise<Result<{ from: number; to: number; damaged: boolean }, ErrorCode>>;
}

export interface TerminalOutlet {
  notice(notice: TerminalNotice): void;
  /** Resolves when they have left the process, or never will. */
  bytes(bytes: Uint8Array): Promise<void>;
  close(): void;
}

export interface TerminalSeat extends Disposable {
  request(request: TerminalRequest): void;
  input(bytes: Uint8Array): void;
}

/** What the edge answers with when a refusal leaves the building. */
export type AnyRefusal = Refusal<ErrorCode>;
