import { createServer, type Server, type Socket } from 'node:net';
import { toDisposable } from '../../src/base/index.ts';
import {
  decodeJson,
  encodeFrame,
  encodeJson,
  FrameReader,
  FrameType,
  type HolderExit,
  type HolderHello,
  type HolderSubscribe,
  holderProtocolVersion,
  writeOffset,
} from '../../src/protocol/index.ts';

const channel = 7;

/** A holder with one session, of which the test says what it prints. Bytes go to every subscriber, as its credit lasts. */
export class ScriptedHolder implements AsyncDisposable {
  readonly socketPath: string;
  readonly channel = channel;
  /** What terminals typed, and the sizes they asked for. */
  typed = '';
  sizes: [number, number][] = [];
  /** Tickets and what they open. */
  readonly tickets = new Map<string, 'drive' | 'view'>();
  readonly links: Link[] = [];
  #output = Buffer.alloc(0);
  #exit: HolderExit | null = null;
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();

  private constructor(socketPath: string) {
    this.socketPath = socketPath;
    this.#server = createServer((socket) => this.links.push(new Link(this, socket)));
  }

  static async listen(socketPath: string): Promise<ScriptedHolder> {
    const holder = new ScriptedHolder(socketPath);
    await new Promise<void>((resolve) => holder.#server.listen(socketPath, resolve));
    return holder;
  }

  get output(): Buffer {
    return this.#output;
  }

  get exit(): HolderExit | null {
    return this.#exit;
  }

  print(text: string | Uint8Array): void {
    this.#output = Buffer.concat([this.#output, Buffer.from(text as string)]);
    for (const link of this.links) link.pump();
  }

  end(exit: Partial<HolderExit>): void {
    this.#exit = { code: null, signal: null, at: 0, ...exit };
    for (const link of this.links) link.pump();
  }

  changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves when it holds, looked at whenever a terminal does something. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve) => {
      const forget = toDisposable(() => this.#watchers.delete(look));
      const look = () => {
        if (!holds()) return;
        forget[Symbol.dispose]();
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.links) link.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One terminal's connection. */
class Link {
  readonly #holder: ScriptedHolder;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  ticket = '';
  from: number | null = null;
  credit = 0;
  isOpen = true;
  #isExitTold = false;

  constructor(holder: ScriptedHolder, socket: Socket) {
    this.#holder = holder;
    this.#socket = socket;
    socket.on('data', (chunk) => this.#reader.push(chunk, ({ type }, payload) => this.#take(type, payload)));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.isOpen = false;
      holder.changed();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  send(type: number, payload?: Uint8Array): void {
    this.#socket.write(encodeFrame(type, channel, 1, payload));
  }

  pump(): void {
    const { output, exit } = this.#holder;
    while (this.from !== null && this.from < output.length && this.credit > 0) {
      const bytes = output.subarray(this.from, this.from + Math.min(this.credit, 65_536));
      const payload = new Uint8Array(16 + bytes.length);
      writeOffset(payload, this.from, 0);
      writeOffset(payload, output.length, 8);
      payload.set(bytes, 16);
      this.send(FrameType.data, payload);
      this.from += bytes.length;
      this.credit -= bytes.length;
    }
    if (exit === null || this.from !== output.length || this.#isExitTold) return;
    this.#isExitTold = true;
    const json = encodeJson(exit);
    const payload = new Uint8Array(8 + json.length);
    writeOffset(payload, output.length, 0);
    payload.set(json, 8);
    this.send(FrameType.exited, payload);
  }

  #take(type: number, payload: Uint8Array): void {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const mode = this.#holder.tickets.get(this.ticket);
    if (type === FrameType.hello) {
      this.ticket = (decodeJson(payload) as HolderHello).ticket ?? '';
      const admitted = this.#holder.tickets.get(this.ticket);
      if (admitted === undefined) return void this.#socket.end();
      this.send(
        FrameType.welcome,
        encodeJson({ protocol: holderProtocolVersion, holder: 'h_x', pid: 1, version: '1', channel, mode: admitted }),
      );
    } else if (type === FrameType.subscribe) {
      const { from, credit } = decodeJson(payload) as HolderSubscribe;
      this.from = from;
      this.credit = credit;
      this.pump();
    } else if (type === FrameType.unsubscribe) this.from = null;
    else if (type === FrameType.credit) {
      this.credit += view.getUint32(0, true);
      this.pump();
    } else if (type === FrameType.input && mode === 'drive')
      this.#holder.typed += Buffer.from(payload).toString('utf8');
    else if (type === FrameType.input)
      this.send(FrameType.refused, encodeJson({ code: 'not-driver', message: 'Views' }));
    else if (type === FrameType.resize) this.#holder.sizes.push([view.getUint16(0, true), view.getUint16(2, true)]);
    this.#holder.changed();
  }
}
