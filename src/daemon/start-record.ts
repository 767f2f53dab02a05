import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** This many crashes within the window and the next start only reads. */
const crashesMax = 3;
const windowMs = 60_000;

/**
 * Remembers crashes: starts that never came to serve, and ends by an error of our own. After three within a minute
 * something in the journal or the machine makes the daemon fall over, and the next one starts read-only, so that the
 * sessions can at least be reached. Being killed from outside while serving is no crash.
 */
export class StartRecord {
  readonly #path: string;
  #crashes: number[];

  constructor(path: string) {
    this.#path = path;
    this.#crashes = read(path);
  }

  /** Notes a start as a crash until `served` takes that back; true when this one should be read-only. */
  begin(now: number): boolean {
    const recent = this.#crashes.filter((at) => now - at < windowMs && at <= now);
    this.#crashes = [...recent, now].slice(-crashesMax - 1);
    this.#write();
    return recent.length >= crashesMax;
  }

  /** The start that was begun last came to nothing, but not by a fault of ours. */
  excused(): void {
    this.served();
  }

  served(): void {
    this.#crashes = this.#crashes.slice(0, -1);
    this.#write();
  }

  crashed(now: number): void {
    this.#crashes = [...this.#crashes, now].slice(-crashesMax - 1);
    this.#write();
  }

  /** An orderly stop, or a run long enough to be called sound: the slate is clean. */
  clear(): void {
    this.#crashes = [];
    this.#write();
  }

  #write(): void {
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.#crashes), { mode: 0o600 });
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
