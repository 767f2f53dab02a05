/** Work that can be done a little at a time. */
export interface Turn {
  /** Works for a few ms at most; says whether more is to be done. */
  take(): boolean;
}

/** Spent on turns in one go, in ms; then whatever else the thread has to do comes in between. */
const goMs = 10;

/**
 * Shares a thread between screens: one that has much to parse, or something hard, keeps the others waiting for a turn
 * and not for all of it. Who comes alone is served at once.
 */
export class Turns {
  readonly #defer: (run: () => void) => void;
  readonly #waiting = new Set<Turn>();
  #isGoing = false;

  /** `defer` runs something after other events had their chance. */
  constructor(defer: (run: () => void) => void) {
    this.#defer = defer;
  }

  /** Gives `turn` its turns until it has no more to do. */
  add(turn: Turn): void {
    this.#waiting.add(turn);
    if (this.#isGoing) return;
    this.#isGoing = true;
    this.#go();
  }

  remove(turn: Turn): void {
    this.#waiting.delete(turn);
  }

  #go(): void {
    const until = performance.now() + goMs;
    for (const turn of this.#waiting) {
      // A set is walked in the order of its entries, those added while walking included.
      this.#waiting.delete(turn);
      if (turn.take()) this.#waiting.add(turn);
      if (performance.now() < until) continue;
      this.#defer(() => this.#go());
      return;
    }
    this.#isGoing = false;
  }
}
