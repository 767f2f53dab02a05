import { connect, type Socket } from 'node:net';
import { assert, type Clock, Emitter, type Event, ok, type Refusal, type Result } from '../base/index.ts';
import {
  decodeJson,
  type ErrorCode,
  encodeJson,
  type FrameHeader,
  FrameReader,
  FrameType,
  type HolderAck,
  type HolderChannel,
  type HolderExit,
  type HolderListed,
  type HolderPause,
  type HolderRefused,
  type HolderStart,
  type HolderStarted,
  type HolderSubscribe,
  type HolderWelcome,
  holderProtocolVersion,
  readOffset,
  writeFrameHeader,
  writeOffset,
} from '../protocol/index.ts';

/** A holder could not be reached, did not answer in time, or hung up. Its children may well be alive. */
export class HolderError extends Error {
  override readonly name = 'HolderError';
  readonly code: 'unreachable' | 'timeout' | 'closed' | 'refused';
  readonly socketPath: string;
  /** With `refused`: what the holder said. */
  readonly refused: HolderRefused | null;

  constructor(
    code: HolderError['code'],
    socketPath: string,
    message: string,
    { refused = null, cause }: { refused?: HolderRefused | null; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.socketPath = socketPath;
    this.refused = refused;
  }
}

export type HolderRefusal = Refusal<HolderRefused['code']> & Pick<HolderRefused, 'channel' | 'epoch'>;
export type HolderReply<T> = Extract<Result<T>, { ok: true }> | HolderRefusal;

/** What a refusal of the holder is called once it leaves the daemon. */
export const errorCodeOfRefusal: Record<HolderRefused['code'], ErrorCode> = {
  'stale-epoch': 'holder/stale-epoch',
  'bad-frame': 'daemon/internal',
  'unknown-frame': 'daemon/internal',
  'unknown-channel': 'session/not-live',
  'no-ticket': 'session/not-driver',
  'not-driver': 'session/not-driver',
  full: 'holder/full',
  duplicate: 'session/live',
  'not-live': 'session/not-live',
  'still-live': 'session/live',
  'disk-full': 'disk/full',
  'disk-error': 'disk/read-only',
  'newer-protocol': 'holder/unreachable',
};

export interface ConnectOptions {
  socketPath: string;
  role: 'daemon' | 'screen' | 'terminal';
  /** Of the daemon; 0 for a terminal. */
  epoch: number;
  /** Terminals only. */
  ticket?: string;
  clock: Clock;
  /** Longest wait for the connection and for each answer. */
  timeoutMs?: number;
}

/** What one subscription hears, in order. Byte views are valid only during the call. */
export interface ChannelListener {
  data(offset: number, bytes: Uint8Array, head: number): void;
  resized(offset: number, columns: number, rows: number): void;
  /** Output of [from, to) is not to be had any more. */
  gap(from: number, to: number): void;
  /** The last event of a channel. */
  exited(offset: number, exit: HolderExit): void;
}

export interface ChannelSubscription extends Disposable {
  /** Lets the holder send so many more bytes; call it for what was consumed. */
  credit(bytes: number): void;
}

export type ChannelPause = { channel: number; pause: HolderPause | null };

/**
 * One connection to a holder, for the daemon, its screen workers or a terminal. Requests are answered within
 * `timeoutMs` or fail with `HolderError`; refusals are returned. Input, answers, sizes, credit and checkpoints are sent
 * without waiting; what the holder refuses of them comes as `onRefused`. The end of the connection is told once, by
 * `onClosed`, after every waiting request failed. Belongs to whoever connected; dispose to close.
 */
export class HolderConnection implements Disposable {
  readonly #socket: Socket;
  readonly #options: ConnectOptions;
  readonly #timeoutMs: number;
  readonly #reader = new FrameReader();
  readonly #listeners = new Map<number, ChannelListener>();
  readonly #requests = new Map<number, PendingRequest>();
  /** Answers to `list` carry no id but come in order. */
  readonly #lists: PendingRequest[] = [];
  #welcome: HolderWelcome | null = null;
  #greeting: PendingRequest | null = null;
  #shutdown: PendingRequest | null = null;
  #lastRequest = 0;
  #isClosed = false;
  #farewell: HolderRefused | null = null;
  readonly #closed = new Emitter<HolderError>();
  readonly #refused = new Emitter<HolderRefused & { channelNumber: number }>();
  readonly #paused = new Emitter<ChannelPause>();
  readonly #revoked = new Emitter<number>();

  /** Connects and says hello. Throws `HolderError`; `refused` carries what the holder had against it. */
  static async open(options: ConnectOptions): Promise<HolderConnection> {
    const timeoutMs = options.timeoutMs ?? answerMs;
    const connection = new HolderConnection(await connectSocket(options, timeoutMs), options, timeoutMs);
    try {
      await connection.#greet();
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
    return connection;
  }

  private constructor(socket: Socket, options: ConnectOptions, timeoutMs: number) {
    this.#socket = socket;
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    socket.on('data', (chunk) => this.#received(chunk));
    // The close that follows says all there is to say.
    socket.on('error', () => {});
    socket.on('close', () => this.#ended());
  }

  get welcome(): HolderWelcome {
    assert(this.#welcome !== null, 'A connection is handed out after its welcome');
    return this.#welcome;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The connection ended: by the holder (`refused` says why), by its death, or by `dispose`. */
  get onClosed(): Event<HolderError> {
    return this.#closed.event;
  }

  /** A frame sent without waiting was refused. */
  get onRefused(): Event<HolderRefused & { channelNumber: number }> {
    return this.#refused.event;
  }

  /** A child is held up by a full disk or its cap; with `pause: null` it goes on. */
  get onPaused(): Event<ChannelPause> {
    return this.#paused.event;
  }

  /** Terminals: the driver's seat of this channel went to someone else. */
  get onRevoked(): Event<number> {
    return this.#revoked.event;
  }

  /** A program that cannot be started is no refusal: its channel is there, with an `exit` that says why. */
  async start(start: Omit<HolderStart, 'requestId'>): Promise<HolderReply<HolderChannel>> {
    const reply = await this.#request<HolderStarted>(FrameType.start, 0, start);
    return reply.ok ? ok(reply.value.channel) : reply;
  }

  list(): Promise<HolderListed> {
    return this.#wait<HolderListed>((pending) => {
      this.#lists.push(pending);
      this.#send(FrameType.list, 0);
    }).then((reply) => {
      if (!reply.ok) throw new HolderError('refused', this.#options.socketPath, reply.message);
      return reply.value;
    });
  }

  /** Admits the terminal that shows this ticket, at least 128 random bits in hexadecimal. */
  grant(channel: number, ticket: string, mode: 'drive' | 'view'): Promise<HolderReply<HolderAck>> {
    return this.#request(FrameType.grant, channel, { ticket, mode });
  }

  /** Makes viewers of all drivers of a channel, or of one; a viewer named by its ticket is sent away. */
  revoke(channel: number, ticket?: string): Promise<HolderReply<HolderAck>> {
    return this.#request(FrameType.revoke, channel, ticket === undefined ? {} : { ticket });
  }

  signal(channel: number, signal: string, target: 'group' | 'child'): Promise<HolderReply<HolderAck>> {
    return this.#request(FrameType.signal, channel, { signal, target });
  }

  /** Makes the holder forget an ended channel; its log stays. */
  close(channel: number): Promise<HolderReply<HolderAck>> {
    return this.#request(FrameType.close, channel, {});
  }

  /** Resolves once the holder has hung up to exit; refused while a child lives. */
  shutdown(): Promise<HolderReply<null>> {
    return this.#wait<null>((pending) => {
      this.#shutdown = pending;
      this.#send(FrameType.shutdown, 0);
    });
  }

  /** Longer input goes as several frames. Empty bytes close the input of a piped child. */
  input(channel: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return this.#send(FrameType.input, channel);
    for (let at = 0; at < bytes.length; at += inputFrameBytes) {
      this.#send(FrameType.input, channel, bytes.subarray(at, at + inputFrameBytes));
    }
  }

  /** Answers the terminal query that ended at offset `query`; the holder sees to it that this happens once. */
  answer(channel: number, query: number, bytes: Uint8Array): void {
    const payload = Buffer.allocUnsafe(8 + bytes.length);
    writeOffset(payload, query, 0);
    payload.set(bytes, 8);
    this.#send(FrameType.answer, channel, payload);
  }

  resize(channel: number, columns: number, rows: number): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt16LE(columns, 0);
    payload.writeUInt16LE(rows, 2);
    this.#send(FrameType.resize, channel, payload);
  }

  /** A durable checkpoint covers everything below `offset`. */
  retain(channel: number, offset: number): void {
    const payload = Buffer.allocUnsafe(8);
    writeOffset(payload, offset, 0);
    this.#send(FrameType.retain, channel, payload);
  }

  /** One subscription per channel and connection: a second replaces the first. */
  subscribe(channel: number, request: HolderSubscribe, listener: ChannelListener): ChannelSubscription {
    this.#listeners.set(channel, listener);
    this.#send(FrameType.subscribe, channel, encodeJson(request));
    const isCurrent = () => this.#listeners.get(channel) === listener;
    return {
      credit: (bytes) => {
        if (!isCurrent() || bytes === 0) return;
        const payload = Buffer.allocUnsafe(4);
        payload.writeUInt32LE(bytes, 0);
        this.#send(FrameType.credit, channel, payload);
      },
      [Symbol.dispose]: () => {
        if (!isCurrent()) return;
        this.#listeners.delete(channel);
        this.#send(FrameType.unsubscribe, channel);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
    this.#ended();
  }

  async #greet(): Promise<void> {
    const { role, ticket } = this.#options;
    const hello = { protocol: holderProtocolVersion, role, ...(ticket === undefined ? {} : { ticket }) };
    await this.#wait<null>((pending) => {
      this.#greeting = pending;
      this.#send(FrameType.hello, 0, encodeJson(hello));
    });
  }

  #request<T>(type: FrameType, channel: number, body: object): Promise<HolderReply<T>> {
    const requestId = ++this.#lastRequest;
    return this.#wait<T>((pending) => {
      this.#requests.set(requestId, pending);
      this.#send(type, channel, encodeJson({ ...body, requestId }));
    });
  }

  #wait<T>(ask: (pending: PendingRequest) => void): Promise<HolderReply<T>> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError(this.#options.socketPath, this.#farewell));
      const timer = this.#options.clock.after(this.#timeoutMs, () => {
        this.#forget(pending);
        const message = `The holder did not answer within ${this.#timeoutMs} ms; whether it did what was asked is unknown`;
        reject(new HolderError('timeout', this.#options.socketPath, message));
      });
      const pending: PendingRequest = {
        settle: (reply) => {
          timer[Symbol.dispose]();
          resolve(reply as HolderReply<T>);
        },
        fail: (error) => {
          timer[Symbol.dispose]();
          reject(error);
        },
      };
      ask(pending);
    });
  }

  #forget(pending: PendingRequest): void {
    for (const [id, known] of this.#requests) if (known === pending) this.#requests.delete(id);
    // A late answer must still find its place in the order.
    const at = this.#lists.indexOf(pending);
    if (at >= 0) this.#lists[at] = ignored;
    if (this.#shutdown === pending) this.#shutdown = null;
  }

  #send(type: FrameType, channel: number, payload: Uint8Array = noBytes): void {
    if (this.#isClosed) return;
    const header = Buffer.allocUnsafe(12);
    writeFrameHeader(header, { length: payload.length, type, channel, epoch: this.#options.epoch });
    this.#socket.write(payload.length === 0 ? header : Buffer.concat([header, payload]));
  }

  #received(chunk: Buffer): void {
    try {
      this.#reader.push(chunk, (header, payload) => this.#receive(header, payload));
    } catch {
      // A holder that breaks its own protocol cannot be followed any further; `onClosed` tells.
      this.#socket.destroy();
    }
  }

  #receive({ type, channel }: FrameHeader, payload: Uint8Array): void {
    switch (type) {
      case FrameType.welcome:
        this.#welcome = decodeJson(payload) as HolderWelcome;
        this.#greeting?.settle(ok(null));
        this.#greeting = null;
        return;
      case FrameType.data:
        return this.#listeners.get(channel)?.data(readOffset(payload, 0), payload.subarray(16), readOffset(payload, 8));
      case FrameType.resized: {
        const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
        const columns = view.getUint16(8, true);
        return this.#listeners.get(channel)?.resized(readOffset(payload, 0), columns, view.getUint16(10, true));
      }
      case FrameType.gap:
        return this.#listeners.get(channel)?.gap(readOffset(payload, 0), readOffset(payload, 8));
      case FrameType.exited: {
        const exit = decodeJson(payload.subarray(8)) as HolderExit;
        return this.#listeners.get(channel)?.exited(readOffset(payload, 0), exit);
      }
      case FrameType.started:
      case FrameType.ack: {
        const answer = decodeJson(payload) as HolderStarted | HolderAck;
        return this.#take(answer.requestId)?.settle(ok(answer));
      }
      case FrameType.listed:
        return this.#lists.shift()?.settle(ok(decodeJson(payload) as HolderListed));
      case FrameType.paused:
        return this.#paused.fire({ channel, pause: decodeJson(payload) as HolderPause });
      case FrameType.resumed:
        return this.#paused.fire({ channel, pause: null });
      case FrameType.revoke:
        return this.#revoked.fire(channel);
      case FrameType.refused:
        return this.#refuse(channel, decodeJson(payload) as HolderRefused);
      default:
      // A newer holder may tell more than we know of.
    }
  }

  #refuse(channelNumber: number, refused: HolderRefused): void {
    const { code, message, channel, epoch, requestId, frame } = refused;
    const refusal: HolderRefusal = {
      ok: false,
      code,
      message,
      ...(channel === undefined ? {} : { channel }),
      ...(epoch === undefined ? {} : { epoch }),
    };
    if (requestId !== undefined) return this.#take(requestId)?.settle(refusal);
    if (frame === FrameType.list) return this.#lists.shift()?.settle(refusal);
    if (frame === FrameType.shutdown) {
      this.#shutdown?.settle(refusal);
      this.#shutdown = null;
      return;
    }
    if (frame === undefined) this.#farewell = refused;
    this.#refused.fire({ ...refused, channelNumber });
  }

  #take(requestId: number): PendingRequest | undefined {
    const pending = this.#requests.get(requestId);
    this.#requests.delete(requestId);
    return pending;
  }

  #ended(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = closedError(this.#options.socketPath, this.#farewell);
    this.#greeting?.fail(error);
    this.#shutdown?.settle(ok(null));
    for (const pending of [...this.#requests.values(), ...this.#lists]) pending.fail(error);
    this.#requests.clear();
    this.#lists.length = 0;
    this.#listeners.clear();
    this.#closed.fire(error);
    for (const emitter of [this.#closed, this.#refused, this.#paused, this.#revoked]) emitter[Symbol.dispose]();
  }
}

interface PendingRequest {
  settle(reply: HolderReply<unknown>): void;
  fail(error: HolderError): void;
}

const ignored: PendingRequest = { settle() {}, fail() {} };
const noBytes = new Uint8Array(0);

/** A holder answers within a millisecond or two; so late an answer means that it hangs or the machine does. */
const answerMs = 5000;
const inputFrameBytes = 64 * 1024;

function connectSocket({ socketPath, clock }: ConnectOptions, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const timer = clock.after(timeoutMs, () => socket.destroy(new Error(`No connection within ${timeoutMs} ms`)));
    socket.once('error', (cause) => {
      timer[Symbol.dispose]();
      reject(new HolderError('unreachable', socketPath, `Cannot reach the holder at "${socketPath}"`, { cause }));
    });
    socket.once('connect', () => {
      timer[Symbol.dispose]();
      socket.removeAllListeners();
      resolve(socket);
    });
  });
}

function closedError(socketPath: string, refused: HolderRefused | null, cause?: unknown): HolderError {
  if (refused !== null) return refusedError(socketPath, refused);
  return new HolderError('closed', socketPath, `The holder at "${socketPath}" closed the connection`, { cause });
}

function refusedError(socketPath: string, refused: HolderRefused): HolderError {
  return new HolderError('refused', socketPath, refused.message, { refused });
}
