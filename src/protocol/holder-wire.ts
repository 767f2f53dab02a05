/**
 * The wire between a holder and those who talk to it: the daemon (starts, resizes, signals), its screen workers
 * (read) and attached terminals (read and, with a driving ticket, type).
 *
 * FROZEN. A holder may be months older than the daemon that finds it, so within version 1 nothing here changes
 * meaning; new frame types may be added and unknown ones are answered with `refused` and otherwise ignored.
 *
 * A frame is a 12 byte header, little endian, then the payload:
 *   u32 payload length · u8 type · u8 zero · u16 channel · u32 epoch
 * The epoch is the sending daemon's; a holder refuses any lower than the highest it has seen. Terminals send 0 and
 * are admitted by ticket instead. Control payloads are JSON in ASCII (other characters as \uXXXX); terminal bytes
 * are raw.
 */
export const holderProtocolVersion = 1;

export const frameHeaderBytes = 12;
/** A longer payload closes the connection: nothing legitimate comes near it (inputs are cut by the sender). */
export const framePayloadBytesMax = 1024 * 1024;

export const FrameType = {
  /** → `HolderHello`. First frame of every connection. */
  hello: 1,
  /** ← `HolderWelcome`. */
  welcome: 2,
  /** → `HolderStart` (daemon). Answered by `started` or `refused`. */
  start: 3,
  started: 4,
  /**
   * → `HolderSubscribe`: data, resized, exited and gap frames of this channel from an offset on, while credit lasts.
   * Opens with a resized frame telling the size at the first byte served. One subscription per connection and
   * channel; a second replaces the first.
   */
  subscribe: 5,
  unsubscribe: 6,
  /** → u32: that many more terminal bytes (the 16 bytes of offsets in a `data` frame are free) may be sent on this channel. */
  credit: 7,
  /** ← u64 offset of the first byte, u64 head (offset after the newest byte the holder has), bytes. */
  data: 8,
  /** ← u64 offset, u16 columns, u16 rows: the size from this offset on. May come twice; several at one offset come as the last. */
  resized: 9,
  /** ← u64 offset, JSON `HolderExit`: the child is gone and its output complete. Last record of a channel. */
  exited: 10,
  /** ← u64 from, u64 to: these bytes are no longer kept (retention) or unreadable (damage). */
  gap: 11,
  /** → raw bytes for the child. An empty payload ends the input of a piped child; it means nothing to a PTY. */
  input: 12,
  /** → u64 offset after the query, bytes: answer to a terminal query. Dropped when a query at or after this offset was answered before. */
  answer: 13,
  /** → u16 columns, u16 rows. */
  resize: 14,
  /** → `HolderSignal` (daemon). */
  signal: 15,
  /** → u64: a durable checkpoint covers everything below; the holder may drop segments before it beyond its retention. */
  retain: 16,
  /** ← `HolderPause`: the child is held up; bytes wait in the kernel, none are dropped. */
  paused: 17,
  resumed: 18,
  /** ← `HolderRefused`. */
  refused: 19,
  /** → `HolderGrant` (daemon): admits a terminal. Acknowledged. */
  grant: 20,
  /** → `HolderRevoke` (daemon); also ← to the terminal that now only views. Acknowledged. */
  revoke: 21,
  /** → empty (daemon). Answered by `listed`. */
  list: 22,
  /** ← `HolderListed`. */
  listed: 23,
  /** → `HolderClose` (daemon): forget an exited channel. Its log stays on disk. Acknowledged. */
  close: 24,
  /** ← `HolderAck`. */
  ack: 25,
  /** → empty (daemon): exit now if no child lives; the connection then closes. Refused `still-live` otherwise. */
  shutdown: 26,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export interface HolderHello {
  protocol: number;
  role: 'daemon' | 'screen' | 'terminal';
  /** Terminals only: what the daemon granted. */
  ticket?: string;
}

export interface HolderWelcome {
  protocol: number;
  holder: string;
  pid: number;
  version: string;
  /** Terminals only: what the ticket opens. */
  channel?: number;
  mode?: 'drive' | 'view';
}

export interface HolderStart {
  requestId: number;
  session: string;
  /** Counts processes of one session from 1; a restart of the same incarnation is refused, so a repeated request starts nothing twice. */
  incarnation: number;
  /** `main`, or a sidecar's name (lower case letters, digits, dashes). */
  name: string;
  argv: readonly string[];
  cwd: string;
  /** The whole environment; nothing of the holder's own is added. */
  env: Readonly<Record<string, string>>;
  io: 'pty' | 'pipes';
  /**
   * Pipes only. `merged` (default) puts standard error into the stream as it arrives. `logged` keeps the stream
   * byte-exact for a protocol on standard output: errors become records of the log that offsets do not count.
   */
  stderr?: 'merged' | 'logged';
  columns: number;
  rows: number;
  /**
   * Folder of this channel's log, made by the holder with mode 0700. The folder of an earlier incarnation may be
   * given again: offsets then go on after its last byte.
   */
  logDir: string;
  /** Output kept whatever `retain` says. */
  retainBytes: number;
  /** At this many kept bytes the child is paused until `retain` advances. */
  capBytes: number;
  /** Written to the child's `oom_score_adj` (raised only), so that the kernel takes an agent before a holder. */
  oomScoreAdj?: number;
}

export interface HolderChannel {
  channel: number;
  session: string;
  incarnation: number;
  name: string;
  /** Of the child; null after its exit. */
  pid: number | null;
  columns: number;
  rows: number;
  /** First byte still kept, and the offset after the newest. */
  retainedFrom: number;
  head: number;
  /** First byte of this incarnation; above 0 when its log goes on after an earlier one. */
  startedFrom: number;
  /** Offset after the newest terminal query that was answered; answers at or below it are dropped. */
  answeredTo: number;
  exit: HolderExit | null;
  paused: HolderPause['reason'] | null;
  startedAt: number;
}

export interface HolderStarted {
  requestId: number;
  channel: HolderChannel;
}

export interface HolderSubscribe {
  /** Offset to start at; below `retainedFrom` a gap frame comes first. */
  from: number;
  /** Payload bytes that may be sent before the first `credit`. */
  credit: number;
  /** Data may wait this long to be sent together with other data; 0 for a person's terminal. */
  coalesceMs: number;
}

export interface HolderExit {
  code: number | null;
  /** Name such as `SIGKILL`; null for an ordinary exit. */
  signal: string | null;
  at: number;
  /** Set when the program could not be started at all. */
  error?: 'binary-missing' | 'not-executable' | 'cwd-missing' | 'spawn-failed';
  message?: string;
}

export interface HolderSignal {
  requestId: number;
  signal: string;
  /** The whole process group, or the child alone. */
  target: 'group' | 'child';
}

export interface HolderPause {
  reason: 'disk-full' | 'log-error' | 'cap' | 'backlog';
  message: string;
}

export interface HolderRefused {
  requestId?: number;
  /** Type of the refused frame, for those that carry no request id. */
  frame?: number;
  /** With `duplicate`: the channel that is already there, to adopt. Absent when only its log is left. */
  channel?: HolderChannel;
  /** With `stale-epoch`: the highest this holder has seen. */
  epoch?: number;
  code:
    | 'stale-epoch'
    | 'bad-frame'
    | 'unknown-frame'
    | 'unknown-channel'
    | 'no-ticket'
    | 'not-driver'
    | 'full'
    | 'duplicate'
    | 'not-live'
    | 'still-live'
    | 'disk-full'
    | 'disk-error'
    | 'newer-protocol';
  message: string;
}

export interface HolderGrant {
  requestId: number;
  /** At least 128 bit, hexadecimal. */
  ticket: string;
  mode: 'drive' | 'view';
}

export interface HolderRevoke {
  requestId?: number;
  /** One ticket, or every driving one of the channel. A driving ticket becomes a viewing one; a viewing one ends and its connection closes. */
  ticket?: string;
}

export interface HolderClose {
  requestId: number;
}

export interface HolderAck {
  requestId: number;
}

export interface HolderListed {
  holder: string;
  pid: number;
  version: string;
  epoch: number;
  sessionsMax: number;
  channels: HolderChannel[];
}

export interface FrameHeader {
  length: number;
  type: number;
  channel: number;
  epoch: number;
}

export function writeFrameHeader(target: Uint8Array, header: FrameHeader, at = 0): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint32(at, header.length, true);
  target[at + 4] = header.type;
  target[at + 5] = 0;
  view.setUint16(at + 6, header.channel, true);
  view.setUint32(at + 8, header.epoch, true);
}

export function readFrameHeader(source: Uint8Array, at = 0): FrameHeader {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  return {
    length: view.getUint32(at, true),
    type: source[at + 4] ?? 0,
    channel: view.getUint16(at + 6, true),
    epoch: view.getUint32(at + 8, true),
  };
}

/** Offsets are whole numbers up to 2^53, as two little-endian halves. */
export function writeOffset(target: Uint8Array, offset: number, at: number): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint32(at, offset % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(offset / 2 ** 32), true);
}

export function readOffset(source: Uint8Array, at: number): number {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** One whole frame. `payload` is copied; for terminal bytes write header and payload separately instead. */
export function encodeFrame(type: number, channel: number, epoch: number, payload: Uint8Array = noBytes): Uint8Array {
  const frame = new Uint8Array(frameHeaderBytes + payload.length);
  writeFrameHeader(frame, { length: payload.length, type, channel, epoch });
  frame.set(payload, frameHeaderBytes);
  return frame;
}

const noBytes = new Uint8Array(0);

export function encodeJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value);
  const ascii = text.replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const bytes = new Uint8Array(ascii.length);
  for (let i = 0; i < ascii.length; i++) bytes[i] = ascii.charCodeAt(i);
  return bytes;
}

/** Throws SyntaxError on anything but JSON in ASCII. */
export function decodeJson(bytes: Uint8Array): unknown {
  for (const byte of bytes) if (byte > 0x7f) throw new SyntaxError('A control payload holds a byte outside ASCII');
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return JSON.parse(text);
}

/**
 * Cuts a byte stream into frames without copying payloads that arrive whole; what waits for its rest is copied, so a
 * reader may reuse its buffer between calls. Payloads handed to `onFrame` are views
 * valid only during the call. Throws on a payload above `framePayloadBytesMax`; the connection is then beyond repair.
 */
export class FrameReader {
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  push(chunk: Uint8Array, onFrame: (header: FrameHeader, payload: Uint8Array) => void): void {
    let rest = this.#pendingBytes === 0 ? chunk : this.#gather(chunk);
    if (rest === undefined) return;
    let at = 0;
    while (rest.length - at >= frameHeaderBytes) {
      const header = readFrameHeader(rest, at);
      if (header.length > framePayloadBytesMax)
        throw new RangeError(`Frame of ${header.length} bytes is above ${framePayloadBytesMax}`);
      const end = at + frameHeaderBytes + header.length;
      if (end > rest.length) break;
      onFrame(header, rest.subarray(at + frameHeaderBytes, end));
      at = end;
    }
    rest = rest.subarray(at);
    if (rest.length > 0) {
      this.#pending = [new Uint8Array(rest)];
      this.#pendingBytes = rest.length;
    }
  }

  /** Joins the kept tail with a new chunk, or returns undefined while a known frame is still incomplete. */
  #gather(chunk: Uint8Array): Uint8Array | undefined {
    this.#pending.push(new Uint8Array(chunk));
    this.#pendingBytes += chunk.length;
    const first = this.#pending[0] as Uint8Array;
    if (first.length >= frameHeaderBytes && this.#pendingBytes < frameHeaderBytes + readFrameHeader(first).length) {
      if (readFrameHeader(first).length > framePayloadBytesMax) throw new RangeError('Frame is above the limit');
      return undefined;
    }
    const joined = new Uint8Array(this.#pendingBytes);
    let at = 0;
    for (const part of this.#pending) {
      joined.set(part, at);
      at += part.length;
    }
    this.#pending = [];
    this.#pendingBytes = 0;
    return joined;
  }
}
