import type { Socket } from 'node:net';
import {
  encodeFrame,
  encodeJson,
  type FrameHeader,
  FrameReader,
  FrameType,
  frameHeaderBytes,
  type HolderExit,
  type HolderHello,
  type HolderRefused,
  writeFrameHeader,
  writeOffset,
} from '../../protocol/index.ts';
import type { HolderTick } from './holder-tick.ts';
import type { Subscription, SubscriptionOutlet } from './subscription.ts';

/** A connection that does not say who it is within this is closed. */
const helloMs = 3000;
/** What a peer that never reads may make us keep besides its credit; beyond it the connection ends. */
const waitingBytesMax = 1024 * 1024;
/** A refused peer gets this long to read why. */
const farewellMs = 1000;

const dataHeaderBytes = frameHeaderBytes + 16;
/** Fewer bytes are cheaper copied behind their header than written separately. */
const copyBytesMax = 2048;

interface PeerEvents {
  /** Throws for what breaks the protocol: the peer is then told and let go. */
  onFrame(header: FrameHeader, payload: Uint8Array): void;
  /** It was let go for this. */
  onBroken(error: Error): void;
  onClose(): void;
}

/**
 * One connection of the holder. States: *new* until its hello, then *known* by role, then *closing* from a refusal that
 * ends it or the peer's own end. Frames that arrive while closing are not looked at.
 */
export class Peer implements SubscriptionOutlet, Disposable {
  readonly subscriptions = new Map<number, Subscription>();
  readonly #socket: Socket;
  readonly #tick: HolderTick;
  readonly #events: PeerEvents;
  readonly #reader = new FrameReader();
  #hello: HolderHello | null = null;
  /** Highest epoch it used. */
  epoch = 0;
  #isClosing = false;
  #isBackedUp = false;
  readonly #blocked = new Set<Subscription>();
  #helloTimer: NodeJS.Timeout | null;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = 0;
  #isTurnScheduled = false;

  constructor(socket: Socket, tick: HolderTick, events: PeerEvents) {
    this.#socket = socket;
    this.#tick = tick;
    this.#events = events;
    this.#helloTimer = setTimeout(
      () => this.end({ code: 'bad-frame', message: `No hello within ${helloMs} ms` }),
      helloMs,
    );
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('drain', () => {
      this.#isBackedUp = false;
      // Only those who were stopped: the others' next bytes are worth waiting for.
      const blocked = [...this.#blocked];
      this.#blocked.clear();
      this.#pump(blocked);
    });
    // The close that follows says all there is to say.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  get hello(): HolderHello | null {
    return this.#hello;
  }

  welcome(hello: HolderHello): void {
    this.#hello = hello;
    if (this.#helloTimer !== null) clearTimeout(this.#helloTimer);
    this.#helloTimer = null;
  }

  get isBackedUp(): boolean {
    return this.#isBackedUp || this.#isClosing;
  }

  send(type: FrameType, channel: number, payload?: Uint8Array): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    this.#write(encodeFrame(type, channel, 0, payload));
    if (this.#socket.writableLength > waitingBytesMax) this.#socket.destroy();
  }

  sendJson(type: FrameType, channel: number, value: unknown): void {
    this.send(type, channel, encodeJson(value));
  }

  refuse(channel: number, refused: HolderRefused): void {
    this.sendJson(FrameType.refused, channel, refused);
  }

  /** Tells why and closes. */
  end(refused: HolderRefused): void {
    if (this.#isClosing) return;
    this.refuse(0, refused);
    this.#isClosing = true;
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), farewellMs).unref();
  }

  data(channel: number, offset: number, head: number, bytes: Uint8Array): void {
    const isSmall = bytes.length <= copyBytesMax;
    const frame = Buffer.allocUnsafe(dataHeaderBytes + (isSmall ? bytes.length : 0));
    writeFrameHeader(frame, { length: 16 + bytes.length, type: FrameType.data, channel, epoch: 0 });
    writeOffset(frame, offset, frameHeaderBytes);
    writeOffset(frame, head, frameHeaderBytes + 8);
    if (isSmall) frame.set(bytes, dataHeaderBytes);
    this.#write(frame);
    if (!isSmall) this.#write(bytes);
  }

  resized(channel: number, offset: number, columns: number, rows: number): void {
    const payload = Buffer.allocUnsafe(12);
    writeOffset(payload, offset, 0);
    payload.writeUInt16LE(columns, 8);
    payload.writeUInt16LE(rows, 10);
    this.send(FrameType.resized, channel, payload);
  }

  gap(channel: number, from: number, to: number): void {
    const payload = Buffer.allocUnsafe(16);
    writeOffset(payload, from, 0);
    writeOffset(payload, to, 8);
    this.send(FrameType.gap, channel, payload);
  }

  exited(channel: number, offset: number, exit: HolderExit): void {
    const start = Buffer.allocUnsafe(8);
    writeOffset(start, offset, 0);
    this.send(FrameType.exited, channel, Buffer.concat([start, encodeJson(exit)]));
  }

  failed(channel: number, error: Error): void {
    const message = `Cannot read the log: ${error.message}; subscribe again to try again`;
    this.refuse(channel, { code: 'disk-error', frame: FrameType.subscribe, message });
  }

  schedule(subscription: Subscription, withinMs: number): void {
    if (withinMs === 0) return this.#pump([subscription]);
    if (this.#tick.isRunning) return this.#tick.add('send', this.#pumpAll);
    const at = performance.now() + withinMs;
    if (this.#timer !== null) {
      if (this.#timerAt <= at) return;
      clearTimeout(this.#timer);
    }
    this.#timerAt = at;
    this.#timer = setTimeout(this.#pumpAll, withinMs);
  }

  [Symbol.dispose](): void {
    this.#isClosing = true;
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    if (this.#isClosing) return;
    try {
      this.#reader.push(chunk, (header, payload) => {
        if (!this.#isClosing) this.#events.onFrame(header, payload);
      });
    } catch (error) {
      // Whatever it sent, the others are not to suffer.
      this.#events.onBroken(error as Error);
      this.end({ code: 'bad-frame', message: `Cannot understand a frame: ${(error as Error).message}` });
    }
  }

  #write(bytes: Uint8Array): void {
    if (!this.#socket.write(bytes)) this.#isBackedUp = true;
  }

  readonly #pumpAll = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pump(this.subscriptions.values());
  };

  /** One write call for whatever several sessions have to say. */
  #pump(subscriptions: Iterable<Subscription>): void {
    let hasMore = false;
    this.#socket.cork();
    for (const subscription of subscriptions) {
      const left = subscription.pump();
      if (left === 'turn') hasMore = true;
      if (left === 'blocked') this.#blocked.add(subscription);
    }
    this.#socket.uncork();
    if (!hasMore || this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    setImmediate(() => {
      this.#isTurnScheduled = false;
      this.#pumpAll();
    });
  }

  #closed(): void {
    this.#isClosing = true;
    if (this.#helloTimer !== null) clearTimeout(this.#helloTimer);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const subscription of this.subscriptions.values()) subscription[Symbol.dispose]();
    this.#events.onClose();
  }
}
