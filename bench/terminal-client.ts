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
  writeFrameHeader,
} from '../src/protocol/index.ts';

/** Bytes of offsets before the terminal bytes of a data frame. */
const dataPrefixBytes = 16;

/** An attached terminal that draws nothing: reads the holder itself (`direct`) or takes bytes over the WebSocket. */
export class TerminalClient implements Disposable {
  received = 0;
  onData: (bytes: Uint8Array) => void = () => {};
  readonly #socket: WebSocket;
  #holder: Socket | null = null;
  #channel = 0;
  #unacknowledged = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Resolves at first paint, with how long that took from the request. */
  static async attach(
    socketPath: string,
    session: string,
    options: { direct: boolean; columns: number; rows: number; history?: number },
  ): Promise<{ client: TerminalClient; firstPaintMs: number }> {
    const socket = new WebSocket(`ws+unix://${socketPath}:/v1/sessions/${session}/terminal`, {
      perMessageDeflate: false,
    });
    const client = new TerminalClient(socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const before = performance.now();
    const { direct, columns, rows, history = 0 } = options;
    const painted = client.#listen(direct);
    socket.send(
      JSON.stringify({
        type: 'attach',
        device: `bench-${process.pid}`,
        mode: 'drive',
        take: true,
        direct,
        columns,
        rows,
        history,
      }),
    );
    await painted;
    return { client, firstPaintMs: performance.now() - before };
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    if (this.#holder === null) this.#socket.send(bytes, { binary: true });
    else this.#holder.write(encodeFrame(FrameType.input, this.#channel, 0, bytes));
  }

  [Symbol.dispose](): void {
    this.#holder?.destroy();
    this.#socket.terminate();
  }

  #listen(direct: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let offset = 0;
      let attached: Extract<TerminalNotice, { type: 'attached' }> | null = null;
      let hasScreen = false;
      this.#socket.on('message', (data, isBinary) => {
        if (!isBinary) {
          const notice = JSON.parse(String(data)) as TerminalNotice;
          if (notice.type === 'attached') attached = notice;
          if (notice.type === 'screen') offset = notice.offset;
          if (notice.type === 'refused') reject(new Error(notice.message));
          return;
        }
        const bytes = data as Buffer;
        if (hasScreen) {
          this.#take(bytes);
          this.#acknowledgeRelay();
          return;
        }
        hasScreen = true;
        if (direct && attached?.holder) this.#join(attached.holder, offset);
        resolve();
      });
      this.#socket.once('error', reject);
    });
  }

  #join(holder: { socket: string; ticket: string; channel: number }, offset: number): void {
    const socket = connect(holder.socket);
    this.#holder = socket;
    this.#channel = holder.channel;
    const credit = 4 * 1024 * 1024;
    socket.write(
      encodeFrame(
        FrameType.hello,
        0,
        0,
        encodeJson({ protocol: holderProtocolVersion, role: 'terminal', ticket: holder.ticket }),
      ),
    );
    socket.write(
      encodeFrame(FrameType.subscribe, holder.channel, 0, encodeJson({ from: offset, credit, coalesceMs: 0 })),
    );
    const frames = new FrameReader();
    socket.on('data', (chunk) => {
      frames.push(chunk, (header, payload) => {
        if (header.type !== FrameType.data) return;
        this.#take(payload.subarray(dataPrefixBytes));
        if (this.#unacknowledged < 512 * 1024) return;
        const frame = new Uint8Array(frameHeaderBytes + 4);
        writeFrameHeader(frame, { length: 4, type: FrameType.credit, channel: this.#channel, epoch: 0 });
        new DataView(frame.buffer).setUint32(frameHeaderBytes, this.#unacknowledged, true);
        this.#unacknowledged = 0;
        socket.write(frame);
      });
    });
    socket.on('error', () => socket.destroy());
  }

  #take(bytes: Uint8Array): void {
    this.received += bytes.length;
    this.#unacknowledged += bytes.length;
    this.onData(bytes);
  }

  #acknowledgeRelay(): void {
    if (this.#unacknowledged < 64 * 1024) return;
    this.#socket.send(JSON.stringify({ type: 'credit', bytes: this.#unacknowledged }));
    this.#unacknowledged = 0;
  }
}
