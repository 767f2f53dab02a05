import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** The highest epoch any holder of this home was ever told; a new daemon goes above it even if its journal was lost. */
export function highestEpoch(stateDir: string): number {
  let highest = 0;
  for (const name of namesIn(stateDir)) highest = Math.max(highest, readEpoch(join(stateDir, name, 'epoch')));
  return highest;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No holder ever ran here.
    return [];
  }
}
