import { connect, type Socket } from 'node:net';
import {
  decodeJson,
  encodeFrame,
  encodeJson,
  type FrameHeader,
  FrameReader,
  FrameType,
  frameHeaderBytes,
  type HolderExit,
  type HolderHello,
  type HolderRefused,
  type HolderSubscribe,
  type HolderWelcome,
  holderProtocolVersion,
  readOffset,
  writeFrameHeader,
} from '../../protocol/index.ts';

/** Terminals are admitted by ticket, not by epoch. */
const terminalEpoch = 0;
/** Typed or pasted bytes in one frame. */
const inputBytesMax = 64 * 1024;
/** Offset and head before the bytes of a `data` frame. */
const dataHeaderBytes = 16;

export interface HolderOutlet {
  welcome(mode: 'drive' | 'view'): void;
  /** `bytes` are the callee's. `head` is the offset after the newest byte the holder has. */
  data(offset: number, head: number, bytes: Uint8Array): void;
  resized(columns: number, rows: number): void;
  gap(to: number): void;
  exited(exit: HolderExit): void;
  /** The seat went to another terminal. */
  revoked(): void;
  refused(refused: HolderRefused): void;
  /** The connection is over, however it ended, unless we closed it. */
  closed(): void;
}

/** This terminal's own connection to a holder: what it types and reads passes no daemon. */
export class HolderLink implements Disposable {
  readonly #socket: Socket;
  readonly #channel: number;
  readonly #outlet: HolderOutlet;
  readonly #reader = new FrameReader();
  #isClosed = false;

  constructor(target: { socket: string; ticket: string; channel: number }, outlet: HolderOutlet) {
    this.#channel = target.channel;
    this.#outlet = outlet;
    this.#socket = connect(target.socket);
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#end());
    this.#socket.on('data', (chunk) => this.#read(chunk));
    const hello: HolderHello = { protocol: holderProtocolVersion, role: 'terminal', ticket: target.ticket };
    this.#socket.write(encodeFrame(FrameType.hello, 0, terminalEpoch, encodeJson(hello)));
  }

  /** Replaces an earlier subscription. `credit` bytes may come before the first `grant`. */
  subscribe(from: number, credit: number): void {
    const request: HolderSubscribe = { from, credit, coalesceMs: 0 };
    this.#send(FrameType.subscribe, encodeJson(request));
  }

  unsubscribe(): void {
    this.#send(FrameType.unsubscribe);
  }

  /** That many more bytes may come. */
  grant(bytes: number): void {
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, bytes, true);
    this.#send(FrameType.credit, payload);
  }

  input(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += inputBytesMax) {
      const piece = bytes.subarray(at, at + inputBytesMax);
      const header = new Uint8Array(frameHeaderBytes);
      writeFrameHeader(header, {
        length: piece.length,
        type: FrameType.input,
        channel: this.#channel,
        epoch: terminalEpoch,
      });
      this.#socket.cork();
      this.#socket.write(header);
      this.#socket.write(piece);
      this.#socket.uncork();
    }
  }

  resize(columns: number, rows: number): void {
    const payload = new Uint8Array(4);
    const view = new DataView(payload.buffer);
    view.setUint16(0, columns, true);
    view.setUint16(2, rows, true);
    this.#send(FrameType.resize, payload);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #send(type: number, payload?: Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(encodeFrame(type, this.#channel, terminalEpoch, payload));
  }

  #read(chunk: Uint8Array): void {
    try {
      this.#reader.push(chunk, (header, payload) => {
        if (!this.#isClosed) this.#frame(header, payload);
      });
    } catch {
      // Whatever speaks there is no holder of ours: the same as a connection that broke.
      this.#socket.destroy();
    }
  }

  #frame({ type }: FrameHeader, payload: Uint8Array): void {
    const outlet = this.#outlet;
    switch (type) {
      case FrameType.welcome:
        return outlet.welcome((decodeJson(payload) as HolderWelcome).mode ?? 'view');
      case FrameType.data:
        return outlet.data(
          readOffset(payload, 0),
          readOffset(payload, 8),
          new Uint8Array(payload.subarray(dataHeaderBytes)),
        );
      case FrameType.resized: {
        const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
        return outlet.resized(view.getUint16(8, true), view.getUint16(10, true));
      }
      case FrameType.gap:
        return outlet.gap(readOffset(payload, 8));
      case FrameType.exited:
        return outlet.exited(decodeJson(payload.subarray(8)) as HolderExit);
      case FrameType.revoke:
        return outlet.revoked();
      case FrameType.refused:
        return outlet.refused(decodeJson(payload) as HolderRefused);
      default:
        // A later holder may say more; what it is for, we do not need.
        return;
    }
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outlet.closed();
  }
}
