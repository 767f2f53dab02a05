import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import {
  encodeFrame,
  encodeJson,
  FrameReader,
  FrameType,
  frameHeaderBytes,
  holderProtocolVersion,
  type TerminalNotice,
  type TerminalRequest,
  writeFrameHeader,
} from '../src/protocol/index.ts';
import type { PaneSize } from './tmux.ts';

/** Bytes of offsets before the terminal bytes of a data frame. */
const dataPrefixBytes = 16;
const holderCreditBytes = 4 * 1024 * 1024;
/** Given back together: a credit frame for every chunk would measure credit frames. */
const holderCreditStep = 512 * 1024;
const relayCreditStep = 64 * 1024;

export interface AttachOptions extends PaneSize {
  /** Reads the holder itself instead of taking bytes over the WebSocket. */
  direct: boolean;
  /** Scrolled-off rows before the screen. */
  history?: number;
}

export interface FirstPaint {
  /** From the request to the screen's bytes. */
  ms: number;
  bytes: number;
}

/** An attached terminal that draws nothing. */
export class TerminalClient implements Disposable {
  /** Offset after the last byte it has; bytes of the first screen are not counted. */
  offset = 0;
  onData: (bytes: Uint8Array) => void = () => {};
  readonly #socket: WebSocket;
  #holder: Socket | null = null;
  #attached: Extract<TerminalNotice, { type: 'attached' }> | null = null;
  #isDirect = false;
  #unacknowledged = 0;
  /** Told of the next screen: its offset and its bytes. */
  #onScreen: ((offset: number, bytes: number) => void) | null = null;
  #screen: number | null = null;
  #fail: (error: Error) => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.#bytes(data as Buffer);
      else this.#notice(JSON.parse(String(data)) as TerminalNotice);
    });
    socket.on('error', (error) => this.#fail(error));
  }

  static async open(socketPath: string, session: string): Promise<TerminalClient> {
    const url = `ws+unix://${socketPath}:/v1/sessions/${session}/terminal`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const client = new TerminalClient(socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return client;
  }

  /** Resolves at first paint. A direct terminal may still be on its way to the holder then. */
  async attach({ direct, columns, rows, history = 0 }: AttachOptions): Promise<FirstPaint> {
    this.#isDirect = direct;
    const before = performance.now();
    const { offset, bytes } = await this.#nextScreen({
      type: 'attach',
      device: `bench-${process.pid}`,
      mode: 'drive',
      take: true,
      direct,
      columns,
      rows,
      history,
    });
    const ms = performance.now() - before;
    this.offset = offset;
    if (direct) this.#join(offset);
    return { ms, bytes };
  }

  /** How far the daemon's screen of this session has come. */
  async screenOffset(): Promise<number> {
    return (await this.#nextScreen({ type: 'resync' })).offset;
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    if (this.#holder === null) this.#socket.send(bytes, { binary: true });
    else this.#holder.write(encodeFrame(FrameType.input, this.#attached?.holder?.channel ?? 0, 0, bytes));
  }

  [Symbol.dispose](): void {
    this.#holder?.destroy();
    this.#socket.terminate();
  }

  #nextScreen(request: TerminalRequest): Promise<{ offset: number; bytes: number }> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#onScreen = (offset, bytes) => resolve({ offset, bytes });
      this.#socket.send(JSON.stringify(request));
    });
  }

  #notice(notice: TerminalNotice): void {
    if (notice.type === 'attached') this.#attached = notice;
    if (notice.type === 'screen') this.#screen = notice.offset;
    if (notice.type === 'refused') this.#fail(new Error(notice.message));
    if (notice.type === 'ended') this.#fail(new Error(notice.why));
  }

  #bytes(bytes: Buffer): void {
    if (this.#screen !== null) {
      const offset = this.#screen;
      this.#screen = null;
      if (!this.#isDirect) this.offset = offset;
      this.#onScreen?.(offset, bytes.length);
      return;
    }
    this.#take(bytes);
    if (this.#unacknowledged < relayCreditStep) return;
    this.#socket.send(JSON.stringify({ type: 'credit', bytes: this.#unacknowledged }));
    this.#unacknowledged = 0;
  }

  #join(from: number): void {
    const holder = this.#attached?.holder;
    if (!holder) throw new Error('The daemon gave no way to the holder');
    const { channel, ticket } = holder;
    const socket = connect(holder.socket);
    this.#holder = socket;
    const hello = { protocol: holderProtocolVersion, role: 'terminal', ticket };
    socket.write(encodeFrame(FrameType.hello, 0, 0, encodeJson(hello)));
    const subscribe = { from, credit: holderCreditBytes, coalesceMs: 0 };
    socket.write(encodeFrame(FrameType.subscribe, channel, 0, encodeJson(subscribe)));
    const frames = new FrameReader();
    socket.on('data', (chunk) => {
      frames.push(chunk, ({ type }, payload) => {
        if (type === FrameType.data) this.#take(payload.subarray(dataPrefixBytes));
      });
      if (this.#unacknowledged < holderCreditStep) return;
      const credit = new Uint8Array(frameHeaderBytes + 4);
      writeFrameHeader(credit, { length: 4, type: FrameType.credit, channel, epoch: 0 });
      new DataView(credit.buffer).setUint32(frameHeaderBytes, this.#unacknowledged, true);
      this.#unacknowledged = 0;
      socket.write(credit);
    });
    socket.on('error', () => socket.destroy());
  }

  #take(bytes: Uint8Array): void {
    this.offset += bytes.length;
    this.#unacknowledged += bytes.length;
    this.onData(bytes);
  }
}
