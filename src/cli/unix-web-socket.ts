import { connect, type Socket as NetSocket } from 'node:net';
import { Emitter } from '../base/index.ts';
import type { Socket } from '../client/index.ts';

/** A message above this is not one of ours: the largest is a screen with a thousand rows of scrolled-off text. */
const messageBytesMax = 64 * 1024 * 1024;
/** Of the answer to the opening request. */
const headBytesMax = 16 * 1024;

const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const noBytes = new Uint8Array(0);

/**
 * A WebSocket client (RFC 6455) for the daemon's unix socket, as small as that allows: the library the daemon serves
 * with would bring TLS and cryptography along, a fifth of what an attach takes to show its first screen. No extensions;
 * masks are not secret here; the handshake's hash is not checked, since only our own daemon listens on this socket.
 */
export class UnixWebSocket implements Socket {
  readonly #open = new Emitter<void>();
  readonly #message = new Emitter<string | Uint8Array>();
  readonly #closed = new Emitter<void>();
  readonly onOpen = this.#open.event;
  readonly onMessage = this.#message.event;
  readonly onClose = this.#closed.event;
  readonly #socket: NetSocket;
  #unsent: (string | Uint8Array)[] | null = [];
  #pending: Uint8Array = noBytes;
  #fragments: Uint8Array[] = [];
  #isText = true;
  #isClosed = false;

  constructor(socketPath: string, path: string) {
    this.#socket = connect(socketPath);
    this.#socket.on('data', (bytes) => this.#read(bytes));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#end());
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: concert\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: Y29uY2VydG1hc3RlciEhIQ==\r\n\r\n',
    );
  }

  send(message: string | Uint8Array): void {
    if (this.#unsent !== null) this.#unsent.push(message);
    else if (typeof message === 'string') this.#write(Opcode.text, Buffer.from(message));
    else this.#write(Opcode.binary, message);
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #read(bytes: Uint8Array): void {
    let rest = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (this.#unsent !== null) {
      const after = this.#readHead(rest);
      if (after === null) return;
      rest = after;
    }
    while (!this.#isClosed) {
      const frame = readFrame(rest);
      if (frame === null) break;
      if (frame === 'wrong') return this.close();
      rest = rest.subarray(frame.end);
      this.#take(frame.opcode, frame.isLast, frame.payload);
    }
    this.#pending = rest;
  }

  /** What follows the answer's head; null until it is whole, or when it is not the one hoped for. */
  #readHead(bytes: Uint8Array): Uint8Array | null {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const end = text.indexOf('\r\n\r\n');
    const isHopeless = end < 0 ? bytes.length > headBytesMax : !/^HTTP\/1\.1 101 /.test(text.toString('latin1', 0, 16));
    this.#pending = bytes;
    if (isHopeless) this.close();
    if (isHopeless || end < 0) return null;
    const unsent = this.#unsent ?? [];
    this.#unsent = null;
    for (const message of unsent) this.send(message);
    this.#open.fire();
    return bytes.subarray(end + 4);
  }

  #take(opcode: number, isLast: boolean, payload: Uint8Array): void {
    if (opcode === Opcode.close) return this.close();
    if (opcode === Opcode.ping) return this.#write(Opcode.pong, payload);
    if (opcode > Opcode.binary) return;
    if (opcode !== Opcode.continuation) this.#isText = opcode === Opcode.text;
    this.#fragments.push(payload);
    if (!isLast) return;
    const [only] = this.#fragments;
    const whole = this.#fragments.length === 1 && only !== undefined ? only : Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#message.fire(this.#isText ? textOf(whole) : new Uint8Array(whole));
  }

  #write(opcode: number, payload: Uint8Array): void {
    if (this.#isClosed) return;
    const { length } = payload;
    const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
    const frame = new Uint8Array(6 + extended + length);
    const view = new DataView(frame.buffer);
    frame[0] = 0x80 | opcode;
    frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
    if (extended === 2) view.setUint16(2, length);
    if (extended === 8) view.setBigUint64(2, BigInt(length));
    // A mask of zeros: there is nobody between us and the daemon for whom it would have to differ.
    frame.set(payload, 6 + extended);
    this.#socket.write(frame);
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closed.fire();
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

interface Frame {
  opcode: number;
  isLast: boolean;
  payload: Uint8Array;
  end: number;
}

/** Null while its rest has not come. What a server must not send (a mask, bits of extensions, a message too long) is wrong. */
function readFrame(bytes: Uint8Array): Frame | null | 'wrong' {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return null;
  if ((second & 0x80) !== 0 || (first & 0x70) !== 0) return 'wrong';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const short = second & 0x7f;
  const start = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < start) return null;
  const length = short === 126 ? view.getUint16(2) : short === 127 ? Number(view.getBigUint64(2)) : short;
  if (length > messageBytesMax) return 'wrong';
  if (bytes.length < start + length) return null;
  const end = start + length;
  return { opcode: first & 0x0f, isLast: (first & 0x80) !== 0, payload: bytes.subarray(start, end), end };
}
