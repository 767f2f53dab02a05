import type { Refusal } from '../../base/index.ts';
import type { ErrorCode, HolderExit, TerminalNotice } from '../../protocol/index.ts';
import { HolderLink } from './holder-link.ts';
import { Seat, type SeatPorts } from './seat.ts';

/** Bytes on their way to the terminal; more are sent by the holder as these are taken. */
const creditBytes = 256 * 1024;
/** Credit is given back in pieces of at least this much, or when nothing is on its way. */
const grantBytes = 32 * 1024;
/** Further behind than this, a fresh screen is quicker than what was missed. */
const behindBytesMax = 256 * 1024;
/** Fresh screens for a terminal that cannot keep up come at most this often. */
const resyncMsMin = 33;
/** Typed before the seat is given, or while it changes. */
const earlyInputBytesMax = 64 * 1024;
/** A fresh screen that has not come by then is done without. */
const screenMsMax = 3_000;
/** The daemon words how a session ended; it is waited for this long after the holder has told. */
const endingMsMax = 1_000;

export type AttachEnd =
  | { type: 'ended'; state: string; why: string }
  | { type: 'refused'; refusal: Refusal<ErrorCode> };

export interface SessionSink {
  /** A whole screen in place of all before; what follows continues it. */
  paint(screen: Uint8Array): void;
  /** Calls `taken` when the terminal has them. */
  write(bytes: Uint8Array, taken: () => void): void;
}

export interface AttachedSessionOptions {
  session: string;
  /** Names this terminal across reconnects. */
  device: string;
  mode: 'drive' | 'view';
  take: boolean;
  history: number;
  size(): { columns: number; rows: number };
  sink: SessionSink;
  /** Begin at this byte and miss none, instead of with a screen. */
  from?: number;
  onMode(mode: 'drive' | 'view', driver: string | null): void;
  /** The size of the session's own terminal, which a viewer cannot change. */
  onSize(columns: number, rows: number): void;
  /** The first screen has been handed to the sink. */
  onShown(): void;
  /** The daemon is away; the terminal goes on without it. */
  onAway(): void;
}

/**
 * One session in this terminal: a seat at the daemon and a link to the holder.
 *
 * `seating`: asked for a seat, nothing is shown, keys are kept. `live`: bytes come from the holder in order and are
 * shown; keys go to it. `behind`: the terminal could not keep up, so bytes are dropped until the fresh screen that was
 * asked for comes. `ended`: `end` is resolved. The daemon may go and come back in `live`: a new seat brings a new
 * link that continues at the same byte.
 */
export class AttachedSession implements Disposable {
  readonly #options: AttachedSessionOptions;
  readonly #ports: SeatPorts;
  readonly #seat: Seat;
  readonly #end = Promise.withResolvers<AttachEnd>();
  #state: 'seating' | 'live' | 'behind' | 'ended' = 'seating';
  #mode: 'drive' | 'view';
  #take: boolean;
  #link: HolderLink | null = null;
  #nextLink: HolderLink | null = null;
  #offset: number | null = null;
  #owed = 0;
  #untaken = 0;
  #resyncedAt = Number.NEGATIVE_INFINITY;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  readonly #whenTyped: (() => void)[] = [];
  #subscription = 0;
  #exit: HolderExit | null = null;
  #endNotice: AttachEnd | null = null;
  #ending: Disposable | null = null;
  #patience: Disposable | null = null;

  constructor(ports: SeatPorts, options: AttachedSessionOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#mode = options.mode;
    this.#take = options.take;
    this.#offset = options.from ?? null;
    this.#seat = new Seat(ports, options.session, {
      attach: () => ({
        type: 'attach',
        device: options.device,
        mode: this.#state === 'seating' ? options.mode : this.#mode,
        take: this.#take,
        direct: true,
        ...options.size(),
        history: options.history,
      }),
      notice: (notice) => this.#notice(notice),
      screen: ({ offset }, bytes) => this.#show(offset, bytes),
      away: () => this.#away(),
    });
  }

  /** How it ended; never rejects. */
  get end(): Promise<AttachEnd> {
    return this.#end.promise;
  }

  get isDriving(): boolean {
    return this.#mode === 'drive';
  }

  /** Keys of the driver; a viewer's go nowhere. */
  input(bytes: Uint8Array): void {
    if (this.#mode !== 'drive') return;
    const isWaiting = this.#state === 'seating' || this.#link === null || this.#nextLink !== null;
    if (!isWaiting) this.#link?.input(bytes);
    else if (this.#earlyBytes + bytes.length <= earlyInputBytesMax) {
      this.#early.push(bytes);
      this.#earlyBytes += bytes.length;
    }
  }

  /** Resolves when all that was typed has been handed on, or cannot be any more. */
  async typed(): Promise<void> {
    if (this.#earlyBytes > 0) await new Promise<void>((resolve) => this.#whenTyped.push(resolve));
  }

  /** Asks for the seat of whoever has it. */
  take(): boolean {
    return this.#seat.request({ type: 'take' });
  }

  /** The terminal has another size now. It counts while this one drives. */
  resize(): void {
    const { columns, rows } = this.#options.size();
    if (this.#mode === 'drive') this.#link?.resize(columns, rows);
    this.#seat.request({ type: 'resize', columns, rows });
  }

  /** A fresh screen in place of what is shown. False when no daemon is there to draw it. */
  repaint(): boolean {
    if (this.#state !== 'live' || !this.#seat.request({ type: 'resync' })) return false;
    this.#state = 'behind';
    this.#resyncedAt = this.#ports.clock.monotonic();
    this.#patience = this.#ports.clock.after(screenMsMax, () => this.#catchUp());
    return true;
  }

  [Symbol.dispose](): void {
    this.#state = 'ended';
    this.#ending?.[Symbol.dispose]();
    this.#patience?.[Symbol.dispose]();
    this.#seat[Symbol.dispose]();
    this.#link?.[Symbol.dispose]();
    this.#nextLink?.[Symbol.dispose]();
    for (const resolve of this.#whenTyped.splice(0)) resolve();
  }

  #notice(notice: Exclude<TerminalNotice, { type: 'screen' }>): void {
    switch (notice.type) {
      case 'attached':
        this.#setMode(notice.mode, null);
        this.#take = false;
        if (notice.holder !== null) return this.#open(notice.holder);
        return this.#finish(unreachable('The daemon gave no way to the terminal itself'));
      case 'mode':
        return this.#setMode(notice.mode, notice.driver);
      case 'ended':
        return this.#ended(notice.state, notice.why);
      case 'refused':
        return this.#refused(notice);
    }
  }

  /** Before the first screen a refusal is the answer; later it can only tell that the session or the seat is gone. */
  #refused({ code, message, hint }: Extract<TerminalNotice, { type: 'refused' }>): void {
    const isGone = code === 'session/not-live' || code === 'session/not-found';
    if (this.#state === 'seating') {
      this.#finish({ type: 'refused', refusal: { ok: false, code: code as ErrorCode, message, hint } });
    } else if (isGone) {
      this.#finish(this.#exit === null ? { type: 'ended', state: 'gone', why: message } : endOf(this.#exit));
    } else if (code === 'session/not-driver') {
      this.#setMode('view', null);
    }
  }

  /** A new link takes over from the old one, if any, at the byte the old one has come to. */
  #open(target: { socket: string; ticket: string; channel: number }): void {
    this.#nextLink?.[Symbol.dispose]();
    const link: HolderLink = new HolderLink(target, {
      welcome: () => {
        this.#link?.[Symbol.dispose]();
        this.#link = link;
        this.#nextLink = null;
        if (this.#offset !== null) this.#begin(link, this.#offset);
      },
      data: (offset, head, bytes) => {
        if (link === this.#link) this.#data(offset, head, bytes);
      },
      resized: (columns, rows) => this.#options.onSize(columns, rows),
      gap: (to) => {
        if (link === this.#link) this.#gap(to);
      },
      exited: (exit) => this.#exited(exit),
      revoked: () => {
        if (link === this.#link) this.#setMode('view', null);
      },
      refused: ({ code }) => {
        if (link === this.#link && code === 'not-driver') this.#setMode('view', null);
      },
      closed: () => {
        if (link === this.#link) this.#link = null;
        if (link !== this.#nextLink) return;
        this.#nextLink = null;
        if (this.#link !== null) this.#typeEarly(this.#link);
        if (this.#state === 'seating') this.#finish(unreachable('The process that holds its terminal does not answer'));
      },
    });
    this.#nextLink = link;
  }

  #begin(link: HolderLink, from: number): void {
    this.#owed = 0;
    this.#untaken = 0;
    this.#subscription++;
    link.subscribe(from, creditBytes);
    if (this.#state === 'behind') return;
    const isFirst = this.#state === 'seating';
    this.#state = 'live';
    this.#typeEarly(link);
    if (isFirst) this.#options.onShown();
  }

  #typeEarly(link: HolderLink): void {
    for (const bytes of this.#early.splice(0)) if (this.#mode === 'drive') link.input(bytes);
    this.#earlyBytes = 0;
    for (const resolve of this.#whenTyped.splice(0)) resolve();
  }

  #show(offset: number, screen: Uint8Array): void {
    const isWanted = this.#state === 'behind' || (this.#state === 'seating' && this.#offset === null);
    if (!isWanted) return;
    this.#options.sink.paint(screen);
    this.#offset = offset;
    this.#patience?.[Symbol.dispose]();
    if (this.#state === 'behind') this.#state = 'live';
    if (this.#link !== null) this.#begin(this.#link, offset);
  }

  #data(offset: number, head: number, bytes: Uint8Array): void {
    if (this.#state !== 'live') return;
    const expected = this.#offset ?? 0;
    const end = offset + bytes.length;
    if (end <= expected) return this.#taken(bytes.length);
    if (offset > expected && this.#options.from === undefined && this.repaint()) return;
    this.#offset = end;
    const fresh = offset < expected ? bytes.subarray(expected - offset) : bytes;
    const subscription = this.#subscription;
    this.#untaken += bytes.length;
    this.#options.sink.write(fresh, () => {
      if (subscription !== this.#subscription) return;
      this.#untaken -= bytes.length;
      this.#taken(bytes.length);
      if (head - end > behindBytesMax) this.#fallBehind();
    });
  }

  /** Gives the holder back the credit of what the terminal has taken. */
  #taken(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed < grantBytes && this.#untaken > 0) return;
    this.#link?.grant(this.#owed);
    this.#owed = 0;
  }

  #fallBehind(): void {
    if (this.#options.from !== undefined || this.#state !== 'live') return;
    if (this.#ports.clock.monotonic() - this.#resyncedAt < resyncMsMin) return;
    if (this.repaint()) this.#link?.unsubscribe();
  }

  #gap(to: number): void {
    this.#offset = Math.max(this.#offset ?? 0, to);
    if (this.#options.from === undefined) this.repaint();
  }

  #setMode(mode: 'drive' | 'view', driver: string | null): void {
    this.#mode = mode;
    this.#options.onMode(mode, driver);
  }

  #away(): void {
    this.#catchUp();
    this.#options.onAway();
  }

  /** No fresh screen will come: what was missed is shown instead, all of it. */
  #catchUp(): void {
    this.#patience?.[Symbol.dispose]();
    if (this.#state !== 'behind') return;
    this.#state = 'live';
    if (this.#link !== null && this.#offset !== null) this.#begin(this.#link, this.#offset);
  }

  #exited(exit: HolderExit): void {
    this.#exit = exit;
    this.#settleEnd(endOf(exit));
  }

  #ended(state: string, why: string): void {
    this.#seat[Symbol.dispose]();
    this.#endNotice = { type: 'ended', state, why };
    this.#settleEnd(this.#endNotice);
  }

  /** The holder tells when all output is there, the daemon what the end means: both are waited for, not for long. */
  #settleEnd(known: AttachEnd): void {
    const hasAllOutput = this.#exit !== null || (this.#link ?? this.#nextLink) === null;
    if (this.#endNotice !== null && hasAllOutput) return this.#finish(this.#endNotice);
    this.#ending ??= this.#ports.clock.after(endingMsMax, () => this.#finish(this.#endNotice ?? known));
  }

  #finish(end: AttachEnd): void {
    if (this.#state === 'ended') return;
    this[Symbol.dispose]();
    this.#end.resolve(end);
  }
}

function endOf({ code, signal, message }: HolderExit): AttachEnd {
  const state = code === 0 && message === undefined ? 'done' : 'failed';
  return { type: 'ended', state, why: message ?? (signal === null ? `exit code ${code}` : `killed by ${signal}`) };
}

function unreachable(message: string): AttachEnd {
  return { type: 'refused', refusal: { ok: false, code: 'holder/unreachable', message } };
}
