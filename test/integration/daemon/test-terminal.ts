import type WebSocket from 'ws';
import type { TerminalNotice, TerminalRequest } from '../../../src/protocol/index.ts';
import { HolderConnection } from '../../../src/terminal/index.ts';
import { clock } from '../terminal/support.ts';
import { type TestFleet, untilTrue } from './test-fleet.ts';

export interface AttachWishes {
  device?: string;
  mode?: 'drive' | 'view';
  take?: boolean;
  direct?: boolean;
  columns?: number;
  rows?: number;
}

/** A terminal attached to a session: what it was told and what it was shown, relayed or read from the holder. */
export class TestTerminal implements Disposable {
  readonly notices: TerminalNotice[] = [];
  /** Bytes of the newest screen and all that came after it. */
  shown = '';
  readonly #client: WebSocket;
  #holder: HolderConnection | null = null;
  #channel = 0;

  private constructor(client: WebSocket) {
    this.#client = client;
  }

  /** Resolves when the first screen is there, or with a terminal that was refused. */
  static async attach(fleet: TestFleet, session: string, wishes: AttachWishes = {}): Promise<TestTerminal> {
    const client = fleet.webSocket(`/v1/sessions/${session}/terminal`);
    const terminal = new TestTerminal(client);
    client.on('error', () => {});
    client.on('message', (data, isBinary) => {
      if (isBinary) terminal.shown += String(data);
      else terminal.#told(JSON.parse(String(data)) as TerminalNotice);
    });
    await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
    const { device = 'here', mode = 'drive', take = false, direct = false, columns = 80, rows = 24 } = wishes;
    terminal.ask({ type: 'attach', device, mode, take, direct, columns, rows, history: 0 });
    await terminal.untilTold((notice) => notice.type === 'screen' || notice.type === 'refused');
    if (direct) await terminal.#readHolder();
    return terminal;
  }

  get mode(): 'drive' | 'view' | null {
    const last = this.notices.findLast((notice) => notice.type === 'attached' || notice.type === 'mode');
    return last === undefined ? null : last.mode;
  }

  get isClosed(): boolean {
    return this.#client.readyState === this.#client.CLOSED;
  }

  ask(request: TerminalRequest): void {
    this.#client.send(JSON.stringify(request));
  }

  type(text: string): void {
    if (this.#holder === null) this.#client.send(Buffer.from(text));
    else this.#holder.input(this.#channel, Buffer.from(text));
  }

  async untilTold(holds: (notice: TerminalNotice) => boolean): Promise<TerminalNotice> {
    await untilTrue(`a notice, after ${JSON.stringify(this.notices)}`, () => this.notices.some(holds));
    return this.notices.findLast(holds) as TerminalNotice;
  }

  async untilShown(text: string): Promise<void> {
    await untilTrue(`"${text}" on the terminal`, () => this.shown.includes(text)).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(this.shown.slice(-500))}`);
    });
  }

  /** Leaves, and waits until that is done. */
  async leave(): Promise<void> {
    this.#holder?.[Symbol.dispose]();
    if (this.isClosed) return;
    const closed = new Promise((resolve) => this.#client.once('close', resolve));
    this.#client.close();
    await closed;
  }

  [Symbol.dispose](): void {
    this.#holder?.[Symbol.dispose]();
    this.#client.terminate();
  }

  #told(notice: TerminalNotice): void {
    this.notices.push(notice);
    if (notice.type === 'screen') this.shown = '';
  }

  async #readHolder(): Promise<void> {
    const attached = this.notices.find((notice) => notice.type === 'attached');
    const screen = this.notices.find((notice) => notice.type === 'screen');
    if (attached?.holder == null || screen === undefined) throw new Error('A direct terminal was given no ticket');
    const { socket, ticket, channel } = attached.holder;
    this.#channel = channel;
    this.#holder = await HolderConnection.open({ socketPath: socket, role: 'terminal', epoch: 0, ticket, clock });
    this.#holder.subscribe(
      channel,
      { from: screen.offset, credit: 1 << 24, coalesceMs: 0 },
      {
        data: (_offset, bytes) => {
          this.shown += Buffer.from(bytes).toString();
        },
        resized() {},
        gap() {},
        exited() {},
      },
    );
  }
}
