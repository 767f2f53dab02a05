import { createHash, type Hash } from 'node:crypto';

/** Told with a failure. */
const lastLinesMax = 30;
/** Lines hashed at once. */
const chunkLines = 64;

/** All that happened, as lines: hashed, so that two runs can be compared, with the last ones kept for the report. */
export class History {
  readonly #hash: Hash = createHash('sha256');
  #pending: string[] = [];
  #last: string[] = [];

  add(line: string): void {
    this.#pending.push(line);
    if (this.#pending.length < chunkLines) return;
    this.#flush();
  }

  /** Newest last. */
  last(): string[] {
    return [...this.#last, ...this.#pending].slice(-lastLinesMax);
  }

  /** SHA-256 in hexadecimal of everything so far. */
  digest(): string {
    this.#flush();
    return this.#hash.copy().digest('hex');
  }

  #flush(): void {
    this.#hash.update(`${this.#pending.join('\n')}\n`);
    this.#last = this.last();
    this.#pending = [];
  }
}
