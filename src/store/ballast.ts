import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './store-error.ts';

/** Default size of the reserve: room for about 20,000 more events, far beyond what it takes to tell the person. */
export const ballastBytesDefault = 16 * 1024 * 1024;

/** Written at once while the reserve grows, so that a waiting commit is held up for about a millisecond. */
const stepBytes = 1024 * 1024;

/** The reserve is taken only where this many times its size is free: it must not be what fills the disk. */
const roomFactor = 4;

/**
 * Disk space kept aside next to the journal. When the disk is full not even a deletion can be recorded; giving the
 * reserve back lets the journal go on while the person makes room.
 */
export class Ballast {
  readonly #path: string;
  readonly #bytes: number;

  /** `bytes` 0 keeps no reserve. */
  constructor(journalPath: string, bytes: number) {
    this.#path = `${journalPath}.ballast`;
    this.#bytes = bytes;
  }

  /** Gives the space back; false when there was none. */
  release(): boolean {
    if (this.#size() === 0) return false;
    rmSync(this.#path, { force: true });
    return true;
  }

  /** Takes a part of the space. `more` asks to be called again, `no-room` to try much later. */
  grow(): 'full' | 'more' | 'no-room' {
    const size = this.#size();
    if (size >= this.#bytes) return 'full';
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      if (bavail * bsize < (this.#bytes - size) * roomFactor) return 'no-room';
      this.#append(Math.min(stepBytes, this.#bytes - size));
      return 'more';
    } catch (error) {
      if (errorCode(error) === '') throw error;
      return 'no-room';
    }
  }

  /** Random bytes: a file system that compresses would keep no room for zeros. */
  #append(bytes: number): void {
    const file = openSync(this.#path, 'a', 0o600);
    try {
      writeSync(file, randomFillSync(Buffer.allocUnsafe(bytes)));
    } finally {
      closeSync(file);
    }
  }

  #size(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }
}
