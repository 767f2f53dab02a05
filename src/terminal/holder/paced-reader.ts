import type { ChildPoller } from './child.ts';
import type { HolderTick } from './holder-tick.ts';

/** A child that prints more rarely is not worth polling: each of its prints may well have a wake-up of its own. */
const oftenMs = 200;
/** So much in one read is a flood: it is read as fast as it comes. */
const floodBytes = 4000;
/** Ticks without a byte after which the child is watched again. */
const silentTicks = 2;
/** After something was typed its echo is awaited, not polled. */
const attentionMs = 500;

/**
 * Decides when a terminal is read. *Watched*: as soon as it has something, which costs a wake-up each time. *Polled*: by
 * the holder's tick together with all others, which is for the many that print little, often and to nobody in
 * particular, as spinners do. From watched to polled when two small prints come within 200 ms and nobody looks on; back
 * after two silent ticks, on a flood, and at once when someone types, looks on, or the log holds up the child.
 */
export class PacedReader implements Disposable {
  readonly #poller: ChildPoller;
  readonly #tick: HolderTick;
  #isPolling = false;
  #isDisposed = false;
  #heardAt = Number.NEGATIVE_INFINITY;
  #attendedAt = Number.NEGATIVE_INFINITY;
  #silent = 0;

  constructor(poller: ChildPoller, tick: HolderTick) {
    this.#poller = poller;
    this.#tick = tick;
  }

  /** The child printed; `isWatched`: someone wants to see it at once. */
  heard(bytes: number, isWatched: boolean): void {
    if (this.#isPolling) return;
    const now = performance.now();
    const isOften = now - this.#heardAt < oftenMs;
    this.#heardAt = now;
    if (isWatched || !isOften || bytes >= floodBytes || now - this.#attendedAt < attentionMs) return;
    this.#isPolling = true;
    this.#silent = 0;
    this.#poller.watch(false);
    this.#tick.add('read', this.#poll);
  }

  /** Nothing of it is to wait for a tick for a while. */
  attend(): void {
    this.#attendedAt = performance.now();
    this.#watch();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
  }

  readonly #poll = (): void => {
    if (!this.#isPolling || this.#isDisposed) return;
    const bytes = this.#poller.poll();
    this.#silent = bytes === 0 ? this.#silent + 1 : 0;
    if (this.#silent >= silentTicks || bytes >= floodBytes) this.#watch();
    // Reading may have ended the polling, by filling the log.
    else if (this.#isPolling) this.#tick.add('read', this.#poll);
  };

  #watch(): void {
    if (!this.#isPolling) return;
    this.#isPolling = false;
    this.#heardAt = Number.NEGATIVE_INFINITY;
    this.#poller.watch(true);
  }
}
