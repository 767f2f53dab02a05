import { type BackoffOptions, backoffMs, type Clock, type Random } from '../../base/index.ts';
import type { Socket, Transport } from '../../client/index.ts';
import type { TerminalNotice, TerminalRequest } from '../../protocol/index.ts';

const retry: BackoffOptions = { firstMs: 100, maxMs: 2_000 };

export interface SeatPorts {
  transport: Transport;
  clock: Clock;
  random: Pick<Random, 'float'>;
}

export interface SeatOutlet {
  /** Asked for at each connection: what to attach as. */
  attach(): TerminalRequest;
  notice(notice: Exclude<TerminalNotice, { type: 'screen' }>): void;
  screen(screen: Extract<TerminalNotice, { type: 'screen' }>, bytes: Uint8Array): void;
  /** The daemon went away; it is tried again until disposed. */
  away(): void;
}

/**
 * This terminal's place at the daemon: who drives, and fresh screens. It is asked for again whenever the daemon comes
 * back; the bytes themselves do not pass here.
 */
export class Seat implements Disposable {
  readonly #ports: SeatPorts;
  readonly #path: string;
  readonly #outlet: SeatOutlet;
  #socket: Socket | null = null;
  #isOpen = false;
  #attempt = 0;
  #wait: Disposable | null = null;
  #isClosed = false;
  #screen: Extract<TerminalNotice, { type: 'screen' }> | null = null;

  constructor(ports: SeatPorts, session: string, outlet: SeatOutlet) {
    this.#ports = ports;
    this.#path = `/v1/sessions/${encodeURIComponent(session)}/terminal`;
    this.#outlet = outlet;
    this.#connect();
  }

  /** False when no daemon is there to be asked. */
  request(request: TerminalRequest): boolean {
    if (!this.#isOpen) return false;
    this.#socket?.send(JSON.stringify(request));
    return true;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#wait?.[Symbol.dispose]();
    this.#socket?.close();
  }

  #connect(): void {
    const socket = this.#ports.transport.openSocket(this.#path);
    this.#socket = socket;
    socket.onOpen(() => {
      this.#isOpen = true;
      this.#attempt = 0;
      socket.send(JSON.stringify(this.#outlet.attach()));
    });
    socket.onMessage((message) => {
      if (!this.#isClosed) this.#receive(message);
    });
    socket.onClose(() => this.#lose());
  }

  #receive(message: string | Uint8Array): void {
    if (typeof message !== 'string') {
      const screen = this.#screen;
      this.#screen = null;
      if (screen !== null) this.#outlet.screen(screen, message);
      return;
    }
    const notice = JSON.parse(message) as TerminalNotice;
    if (notice.type === 'screen') this.#screen = notice;
    else this.#outlet.notice(notice);
  }

  #lose(): void {
    this.#socket = null;
    this.#isOpen = false;
    this.#screen = null;
    if (this.#isClosed) return;
    this.#outlet.away();
    if (this.#isClosed) return;
    this.#wait = this.#ports.clock.after(backoffMs(retry, this.#attempt++, this.#ports.random.float()), () => {
      this.#wait = null;
      this.#connect();
    });
  }
}
