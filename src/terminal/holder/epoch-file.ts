import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The highest daemon epoch a holder has seen, kept over its own restart: a fenced-off daemon stays fenced off. */
export class EpochFile {
  readonly #path: string;
  #highest: number;

  constructor(path: string) {
    this.#path = path;
    this.#highest = readEpoch(path);
  }

  get highest(): number {
    return this.#highest;
  }

  /** True when it was higher than any before. Counts from now on even when it cannot be written; then it throws. */
  raise(epoch: number): void {
    this.#highest = epoch;
    writeFileSync(`${this.#path}.new`, `${epoch}\n`, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

function readEpoch(path: string): number {
  try {
    const epoch = Number(readFileSync(path, 'latin1'));
    return Number.isInteger(epoch) && epoch >= 0 ? epoch : 0;
  } catch {
    // The first time there is none; an unreadable one leaves the first daemon to say its epoch again.
    return 0;
  }
}
