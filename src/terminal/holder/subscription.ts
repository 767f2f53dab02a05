import type { HolderExit } from '../../protocol/index.ts';
import { type LogItem, readLog } from '../log-reader.ts';
import type { OutputTail } from './output-tail.ts';

/** Where a subscription's frames go. */
export interface SubscriptionOutlet {
  /** Enough waits to be sent already; `pump` is called again when it has gone. */
  readonly isBackedUp: boolean;
  data(channel: number, offset: number, head: number, bytes: Uint8Array): void;
  resized(channel: number, offset: number, columns: number, rows: number): void;
  gap(channel: number, from: number, to: number): void;
  exited(channel: number, offset: number, exit: HolderExit): void;
  /** The log cannot be read just now; nothing more comes of this subscription. */
  failed(channel: number, error: Error): void;
  /** Asks for a call of `pump` within so many ms; 0 at once. */
  schedule(subscription: Subscription, withinMs: number): void;
}

/** What a subscription reads from. */
export interface SubscriptionSource {
  readonly number: number;
  readonly logDir: string;
  readonly tail: OutputTail;
  readonly exit: HolderExit | null;
  /** A reader went on: what was kept for it may go. */
  trim(): void;
}

/** Terminal bytes in one frame at most; also what waits before a flood is sent without further coalescing. */
const frameBytes = 64 * 1024;
/** Sent in one go before other sessions get their turn. */
const turnBytes = 256 * 1024;
/** A person's terminal gets small output at once; beyond this much within `burstMs` it is gathered. */
const burstBytes = 16 * 1024;
const burstMs = 2;

/**
 * One reader of one channel: an offset and a credit. Keeping up, it is served from memory; having fallen behind, from
 * disk, at its own pace. It holds up nobody: the child is not asked to wait for it.
 */
export class Subscription implements Disposable {
  readonly #source: SubscriptionSource;
  readonly #outlet: SubscriptionOutlet;
  readonly #coalesceMs: number;
  #offset: number;
  #credit: number;
  /** Of the last size told from memory; null while reading from disk, and before the first. */
  #sequence: number | null = null;
  #told: { columns: number; rows: number } | null = null;
  #disk: DiskPlace | null = null;
  #isExitTold = false;
  #hasFailed = false;
  #burstFrom = 0;
  #burst = 0;

  constructor(
    source: SubscriptionSource,
    outlet: SubscriptionOutlet,
    { from, credit, coalesceMs }: { from: number; credit: number; coalesceMs: number },
  ) {
    this.#source = source;
    this.#outlet = outlet;
    this.#coalesceMs = coalesceMs;
    this.#offset = from;
    this.#credit = credit;
  }

  /** Of the next byte it will send. */
  get offset(): number {
    return this.#offset;
  }

  /** A person looks on: nothing is to wait for anything else. */
  get isEager(): boolean {
    return this.#coalesceMs === 0;
  }

  addCredit(bytes: number): void {
    const wasStarved = this.#credit === 0;
    this.#credit += bytes;
    // Whoever still had credit is sent its bytes when it is time for them.
    if (wasStarved) this.#outlet.schedule(this, 0);
  }

  /** The channel printed, changed its size or ended. */
  notify(bytes: number): void {
    this.#outlet.schedule(this, this.#patience(bytes));
  }

  /**
   * Sends what may be sent. Says whether it stopped with work left: `turn` to let others have theirs, `blocked` by a
   * full connection.
   */
  pump(): 'done' | 'turn' | 'blocked' {
    let turn = turnBytes;
    while (turn > 0 && !this.#hasFailed) {
      if (this.#outlet.isBackedUp) return this.#offset < this.#source.tail.head ? 'blocked' : 'done';
      const cost = this.#offset < this.#source.tail.start ? this.#fromDisk() : this.#fromMemory();
      if (cost === 0) {
        this.#source.trim();
        return 'done';
      }
      turn -= cost;
    }
    return this.#hasFailed ? 'done' : 'turn';
  }

  [Symbol.dispose](): void {
    this.#leaveDisk();
  }

  #patience(bytes: number): number {
    if (this.#source.tail.head - this.#offset >= frameBytes) return 0;
    if (this.#coalesceMs > 0) return this.#coalesceMs;
    const now = performance.now();
    if (now - this.#burstFrom > burstMs) {
      this.#burstFrom = now;
      this.#burst = 0;
    }
    this.#burst += bytes;
    return this.#burst <= burstBytes ? 0 : burstMs;
  }

  /** What it sent, in bytes or at least 1; 0 when there is nothing to send now. */
  #fromMemory(): number {
    const { tail, number, exit } = this.#source;
    this.#leaveDisk();
    if (this.#sequence === null) {
      const size = tail.sizeAt(this.#offset);
      this.#sequence = size.sequence;
      return this.#tellSize(this.#offset, size);
    }
    const size = tail.sizeAfter(this.#sequence);
    if (size !== undefined && size.offset <= this.#offset) {
      this.#sequence = size.sequence;
      return this.#tellSize(size.offset, size);
    }
    const until = size?.offset ?? tail.head;
    const count = Math.min(until - this.#offset, this.#credit, frameBytes);
    if (count > 0) return this.#send(tail.read(this.#offset, count));
    if (exit !== null && !this.#isExitTold && this.#offset >= tail.head) {
      this.#isExitTold = true;
      this.#outlet.exited(number, tail.head, exit);
    }
    return 0;
  }

  #fromDisk(): number {
    if (this.#credit === 0) return 0;
    const { number, tail } = this.#source;
    this.#sequence = null;
    let item: ReturnType<DiskPlace['take']>;
    this.#disk ??= new DiskPlace(this.#source.logDir, this.#offset);
    try {
      item = this.#disk.take(Math.min(this.#credit, frameBytes));
    } catch (error) {
      this.#hasFailed = true;
      this.#leaveDisk();
      this.#outlet.failed(number, error as Error);
      return 0;
    }
    if (item.kind === 'data') {
      const missing = tail.start - this.#offset;
      // What lies in memory is served from there, with the sizes that belong to it.
      if (item.bytes.length > missing) this.#leaveDisk();
      return this.#send(item.bytes.subarray(0, missing));
    }
    if (item.kind === 'resize') return this.#tellSize(item.offset, item);
    const isStuck = item.kind === 'end' && this.#disk.offset === this.#offset;
    if (item.kind === 'end') this.#leaveDisk();
    const to = item.kind === 'gap' ? Math.min(item.to, tail.start) : isStuck ? tail.start : this.#offset;
    if (to > this.#offset) {
      this.#outlet.gap(number, this.#offset, to);
      this.#offset = to;
    }
    return 1;
  }

  #tellSize(offset: number, { columns, rows }: { columns: number; rows: number }): number {
    if (this.#told?.columns !== columns || this.#told.rows !== rows) {
      this.#told = { columns, rows };
      this.#outlet.resized(this.#source.number, offset, columns, rows);
    }
    return 1;
  }

  #send(bytes: Uint8Array): number {
    const { number, tail } = this.#source;
    const offset = this.#offset;
    this.#offset += bytes.length;
    this.#credit -= bytes.length;
    this.#outlet.data(number, offset, tail.head, bytes);
    return bytes.length;
  }

  #leaveDisk(): void {
    this.#disk?.[Symbol.dispose]();
    this.#disk = null;
  }
}

/** A place in the log that hands out whole frames of the many small records a quiet session writes. */
class DiskPlace implements Disposable {
  /** Where it was opened: an end without a step beyond means that nothing more is readable. */
  readonly offset: number;
  readonly #items: Generator<LogItem, void, void>;
  #held: LogItem | null = null;

  constructor(folder: string, offset: number) {
    this.offset = offset;
    this.#items = readLog(folder, offset);
  }

  /** The next size, gap or end, or a copy of at most `bytesMax` bytes. */
  take(bytesMax: number): Extract<LogItem, { kind: 'data' | 'resize' | 'gap' | 'end' }> {
    const parts: Uint8Array[] = [];
    let gathered = 0;
    let offset = -1;
    for (;;) {
      const item = this.#held ?? this.#next();
      this.#held = null;
      if (item.kind === 'data') {
        if (offset < 0) offset = item.offset;
        const bytes = item.bytes.subarray(0, bytesMax - gathered);
        parts.push(new Uint8Array(bytes));
        gathered += bytes.length;
        if (bytes.length < item.bytes.length) {
          this.#held = { ...item, offset: item.offset + bytes.length, bytes: item.bytes.subarray(bytes.length) };
        }
        if (gathered === bytesMax) return { kind: 'data', offset, bytes: joined(parts) };
      } else if (item.kind === 'resize' || item.kind === 'gap' || item.kind === 'end') {
        if (gathered === 0) return item;
        this.#held = item;
        return { kind: 'data', offset, bytes: joined(parts) };
      }
    }
  }

  [Symbol.dispose](): void {
    this.#items.return();
  }

  #next(): LogItem {
    const step = this.#items.next();
    return step.done === true ? { kind: 'end', head: this.offset, tornBytes: 0 } : step.value;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}
