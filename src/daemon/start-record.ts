import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** This many unfinished starts within the window and the next one only reads. */
const crashesMax = 3;
const windowMs = 60_000;

/**
 * Remembers starts that did not end in an orderly stop. After three within a minute something in the journal or the
 * machine makes the daemon fall over: the next one starts read-only, so that the sessions can at least be reached.
 */
export class StartRecord {
  readonly #path: string;
  #starts: number[];

  constructor(path: string) {
    this.#path = path;
    this.#starts = read(path);
  }

  /** Notes this start; true when it should be read-only. */
  begin(now: number): boolean {
    const recent = this.#starts.filter((at) => now - at < windowMs && at <= now);
    this.#starts = [...recent, now].slice(-crashesMax - 1);
    this.#write();
    return recent.length >= crashesMax;
  }

  /** An orderly stop, or a run long enough to be called sound: the slate is clean. */
  clear(): void {
    this.#starts = [];
    this.#write();
  }

  #write(): void {
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.#starts), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk must not keep the daemon from starting; then crashes just are not counted.
    }
  }
}

function read(path: string): number[] {
  try {
    const starts: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(starts) ? starts.filter((at) => typeof at === 'number') : [];
  } catch {
    // No record or a torn one: nothing is known against this home.
    return [];
  }
}
