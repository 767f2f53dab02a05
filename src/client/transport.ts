import type { Event, Refusal } from '../base/index.ts';
import type { ErrorCode } from '../protocol/index.ts';

/** How requests get to the daemon. Each environment brings its own; all reject with `Unreachable` when it cannot be asked. */
export interface Transport {
  request(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
  /** A GET whose body is handed over piece by piece, each before the next is read. `text` is empty unless the daemon refused. */
  download(path: string, take: (bytes: Uint8Array) => Promise<void>): Promise<Answer>;
  openSocket(path: string): Socket;
}

export interface Answer {
  status: number;
  text: string;
}

/** A message socket, opening when handed out. Messages sent before it is open are kept until then. */
export interface Socket {
  readonly onOpen: Event<void>;
  readonly onMessage: Event<string | Uint8Array>;
  /** Fires once, however it ended, also when it never opened. */
  readonly onClose: Event<void>;
  send(message: string | Uint8Array): void;
  close(): void;
}

/**
 * The daemon could not be asked. `absent`: nothing listens, so the request was certainly not done and may be made
 * again. `broken`: the connection ended before the whole answer came, so it may or may not have been done.
 */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly code: 'absent' | 'forbidden' | 'broken';
  /** Why it could not be brought back, where that was tried. */
  readonly refusal: Refusal<ErrorCode> | null;

  constructor(code: Unreachable['code'], message: string, why: { cause?: unknown; refusal?: Refusal<ErrorCode> } = {}) {
    super(message, { cause: why.cause });
    this.code = code;
    this.refusal = why.refusal ?? null;
  }
}
