/** In this order within one tick: what is read is written and sent by the same wake-up. */
const phases = ['read', 'write', 'send'] as const;
type TickPhase = (typeof phases)[number];

/** Terminals that nobody looks at are read this rarely: a spinner of ten frames a second then has one each time. */
const readEveryMs = 100;

/**
 * One timer for all that may wait a moment, in all sessions of a holder. Sixteen spinners then cost ten wake-ups a
 * second, not three each per frame: to read the terminal, to write the log, to tell a screen. Without work there is no
 * tick.
 */
export class HolderTick implements Disposable {
  readonly #everyMs: number;
  readonly #waiting: Record<TickPhase, Set<() => void>> = { read: new Set(), write: new Set(), send: new Set() };
  #readTimer: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isRunning = false;

  /** `everyMs`: how long writing and sending may wait. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** True while a tick runs: what is added to a later phase now is still done by it. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Runs `work` once, however often it was added: a read within 100 ms, the rest within `everyMs` or with the next read. */
  add(phase: TickPhase, work: () => void): void {
    this.#waiting[phase].add(work);
    if (!this.#isRunning) this.#arm();
  }

  [Symbol.dispose](): void {
    this.#disarm();
    if (this.#readTimer !== null) clearTimeout(this.#readTimer);
    this.#readTimer = null;
    for (const phase of phases) this.#waiting[phase].clear();
  }

  #arm(): void {
    if (this.#waiting.read.size > 0) this.#readTimer ??= setTimeout(() => this.#read(), readEveryMs);
    if (this.#waiting.write.size + this.#waiting.send.size > 0) {
      this.#timer ??= setTimeout(() => this.#run(['write', 'send']), this.#everyMs);
    }
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #read(): void {
    this.#readTimer = null;
    this.#run(phases);
  }

  #run(due: readonly TickPhase[]): void {
    this.#disarm();
    this.#isRunning = true;
    try {
      for (const phase of due) {
        const waiting = this.#waiting[phase];
        this.#waiting[phase] = new Set();
        for (const work of waiting) work();
      }
    } finally {
      this.#isRunning = false;
      this.#arm();
    }
  }
}
