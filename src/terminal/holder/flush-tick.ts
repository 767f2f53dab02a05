/**
 * One timer for the same work of all sessions: sixteen spinners then cost one wake-up per tick instead of sixteen. A log
 * asks for a flush at its first waiting byte and gets it at most `afterMs` later; a resting terminal is read likewise.
 */
export class FlushTick implements Disposable {
  readonly #afterMs: number;
  #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** `flush` is asked once, however often it was added before the tick. */
  add(flush: () => void): void {
    this.#waiting.add(flush);
    this.#timer ??= setTimeout(() => this.#run(), this.#afterMs);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.clear();
  }

  #run(): void {
    this.#timer = null;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const flush of waiting) flush();
  }
}
