import { randomBytes } from 'node:crypto';
import { plainLine, type Session } from '../fleet/index.ts';
import { type ErrorCode, errorCodes, type TerminalRequest } from '../protocol/index.ts';
import type { TerminalOutlet, TerminalSeat } from '../server/index.ts';

/** A seat's share of unsent bytes for a terminal that does not read the holder itself. */
const relayCreditBytes = 256 * 1024;
/** Missing more than this, a fresh screen is quicker than the bytes. */
const resyncAboveBytes = 256 * 1024;

type Attach = Extract<TerminalRequest, { type: 'attach' }>;

interface ScreenBytes {
  /** Of the first byte that is not in it. */
  offset: number;
  columns: number;
  rows: number;
  bytes: Uint8Array;
}

/** A live terminal as a seat needs it; bound to one process of one session. */
export interface LiveTerminal {
  holderSocket: string;
  channel: number;
  /** Screen and scrolled-off rows as bytes for a terminal of that size; offset of the first byte not in it. */
  checkpoint(history: number): Promise<ScreenBytes>;
  grant(ticket: string, mode: 'drive' | 'view'): Promise<void>;
  /** Without a ticket: all driving ones become viewing ones. */
  revoke(ticket?: string): Promise<void>;
  /** Resolves when the screen has the new size too. */
  resize(columns: number, rows: number): Promise<void>;
  write(bytes: Uint8Array): void;
  subscribe(
    from: number,
    credit: number,
    listener: (bytes: Uint8Array, head: number) => void,
  ): { credit(bytes: number): void } & Disposable;
}

export interface SeatPorts {
  session(): Session | undefined;
  live(): LiveTerminal | null;
  /** Asks the fleet for the driving seat; false when another device has it. */
  drive(device: string | null, from: string | null, take: boolean): Promise<boolean>;
  /** Called by whoever takes a seat away from this one. */
  onModeChange(listener: () => void): Disposable;
  onEnd(listener: () => void): Disposable;
  /** What the log has from an offset on; nothing when that is more than `bytesMax`. */
  rest(from: number, bytesMax: number): Promise<Uint8Array>;
}

/**
 * One attached terminal, from its first request to its end. States: waiting for `attach`; attached (driving or viewing);
 * closed. A driver that is taken over becomes a viewer and is told; nothing closes it but itself or the session's end.
 */
export class AttachedTerminal implements TerminalSeat {
  readonly #ports: SeatPorts;
  readonly #outlet: TerminalOutlet;
  #attach: Attach | null = null;
  #mode: 'drive' | 'view' = 'view';
  #ticket: string | null = null;
  #relay: ({ credit(bytes: number): void } & Disposable) | null = null;
  /** Offset after the newest byte handed to a terminal that takes its bytes through the daemon. */
  #sentTo = 0;
  #listeners: Disposable[] = [];
  #isClosed = false;
  /** Requests are worked on one after the other: an attach must not overtake the resize before it. */
  #work: Promise<void> = Promise.resolve();

  constructor(ports: SeatPorts, outlet: TerminalOutlet) {
    this.#ports = ports;
    this.#outlet = outlet;
    this.#listeners.push(
      ports.onModeChange(() => this.#queue(() => this.#lookAtMode())),
      ports.onEnd(() => this.#queue(() => this.#ended())),
    );
  }

  request(request: TerminalRequest): void {
    this.#queue(async () => {
      switch (request.type) {
        case 'attach':
          return await this.#begin(request);
        case 'resync':
          return await this.#sendScreen();
        case 'resize':
          if (this.#attach !== null) this.#attach = { ...this.#attach, columns: request.columns, rows: request.rows };
          if (this.#mode === 'drive') await this.#ports.live()?.resize(request.columns, request.rows);
          return;
        case 'credit':
          this.#relay?.credit(request.bytes);
          return;
        case 'take':
          if (this.#attach !== null) await this.#begin({ ...this.#attach, mode: 'drive', take: true });
          return;
      }
    });
  }

  /** Typed after what was asked before it: a new size comes first, then the keys meant for it. */
  input(bytes: Uint8Array): void {
    this.#queue(async () => {
      if (this.#mode === 'drive') this.#ports.live()?.write(bytes);
    });
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    this.#relay?.[Symbol.dispose]();
    const live = this.#ports.live();
    if (this.#ticket !== null) live?.revoke(this.#ticket).catch(ignoreGone);
    const device = this.#attach?.device ?? null;
    if (device !== null && this.#mode === 'drive') void this.#ports.drive(null, device, false);
  }

  async #begin(attach: Attach): Promise<void> {
    const session = this.#ports.session();
    const live = this.#ports.live();
    if (session === undefined) return this.#refuse('session/not-found', 'The session is gone');
    if (live === null) {
      return this.#refuse(
        'session/not-live',
        `Session "${session.name}" is ${session.state}: there is no terminal to attach to`,
      );
    }
    this.#attach = attach;
    // Asked for before the seat is settled, which takes a write to the disk: switching tabs keeps the size.
    const early = live.checkpoint(attach.history).catch(() => null);
    const drives = attach.mode === 'drive' && (await this.#ports.drive(attach.device, null, attach.take));
    this.#mode = drives ? 'drive' : 'view';
    const ticket = attach.direct ? randomBytes(16).toString('hex') : null;
    const former = ticket === null ? null : this.#ticket;
    // The holder takes these in order, so none has to wait for the answer to the one before.
    await Promise.all([
      // Also whoever drives by a ticket of an earlier daemon, of whom the fleet knows nothing: one terminal types.
      drives && live.revoke(),
      drives && live.resize(attach.columns, attach.rows),
      former !== null && live.revoke(former).catch(ignoreGone),
      ticket !== null && live.grant(ticket, this.#mode),
    ]);
    if (ticket !== null) this.#ticket = ticket;
    if (this.#isClosed) return;
    const holder = ticket === null ? null : { socket: live.holderSocket, ticket, channel: live.channel };
    this.#outlet.notice({
      type: 'attached',
      session: session.id,
      name: session.name,
      tab: session.tab,
      mode: this.#mode,
      holder,
    });
    if (!drives && attach.mode === 'drive') {
      this.#outlet.notice({ type: 'mode', mode: 'view', driver: this.#ports.session()?.driver ?? null });
    }
    const screen = await early;
    const isOfSize = !drives || (screen?.columns === attach.columns && screen.rows === attach.rows);
    await this.#sendScreen(isOfSize ? screen : null);
  }

  /** A whole screen, then (for those that do not read the holder) the bytes after it. */
  async #sendScreen(ready: ScreenBytes | null = null): Promise<void> {
    const live = this.#ports.live();
    if (this.#attach === null || live === null || this.#isClosed) return;
    this.#relay?.[Symbol.dispose]();
    this.#relay = null;
    const { offset, columns, rows, bytes } = ready ?? (await live.checkpoint(this.#attach.history));
    if (this.#isClosed) return;
    this.#outlet.notice({ type: 'screen', offset, columns, rows });
    const sent = this.#outlet.bytes(bytes);
    if (this.#attach.direct) return;
    // A terminal that does not take its screen gets nothing more to leave lying, and no other screen.
    await sent;
    if (this.#isClosed) return;
    this.#sentTo = offset;
    let isBehind = false;
    this.#relay = live.subscribe(offset, relayCreditBytes, (chunk, head) => {
      if (isBehind) return;
      isBehind = head - this.#sentTo - chunk.length > resyncAboveBytes;
      if (isBehind) return this.#queue(() => this.#sendScreen());
      this.#sentTo += chunk.length;
      void this.#outlet.bytes(chunk);
    });
  }

  async #lookAtMode(): Promise<void> {
    const session = this.#ports.session();
    if (
      session === undefined ||
      this.#attach === null ||
      this.#mode !== 'drive' ||
      session.driver === this.#attach.device
    )
      return;
    this.#mode = 'view';
    this.#outlet.notice({ type: 'mode', mode: 'view', driver: session.driver });
  }

  async #ended(): Promise<void> {
    if (this.#isClosed || this.#attach === null) return;
    if (!this.#attach.direct) {
      // The relay may have been slower than the end; the log has the last words.
      this.#relay?.[Symbol.dispose]();
      this.#relay = null;
      const rest = await this.#ports.rest(this.#sentTo, resyncAboveBytes);
      if (rest.length > 0) void this.#outlet.bytes(rest);
    }
    const session = this.#ports.session();
    const why = session?.evidence.detail ?? 'The session ended';
    this.#outlet.notice({ type: 'ended', state: session?.state ?? 'done', why: plainLine(why, 200) });
    this.#outlet.close();
  }

  #refuse(code: ErrorCode, message: string): void {
    this.#outlet.notice({ type: 'refused', code, message, hint: errorCodes[code].hint });
    this.#outlet.close();
  }

  #queue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: Error) => {
      if (this.#isClosed) return;
      this.#refuse(
        'holder/unreachable',
        `The terminal cannot be reached (${error.message}); the session itself goes on`,
      );
    });
  }
}

/** A holder that is gone has forgotten every ticket, which is what a revoke wants. */
function ignoreGone(): void {}
