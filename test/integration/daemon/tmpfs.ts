import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Mounting needs more rights than a person usually has; where it is refused, these tests cannot run. */
export const canMount = (() => {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
})();

/** A small disk of its own at `path`; unmounted, however busy, when disposed. */
export class Tmpfs implements Disposable {
  readonly path: string;
  #fill = 0;

  constructor(path: string, options: string) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'tmpfs', path]);
  }

  remount(options: string): void {
    execFileSync('mount', ['-o', `remount,${options}`, this.path]);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** Writes until nothing more goes in. */
  fillUp(): void {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const file = openSync(join(this.path, `fill-${this.#fill++}`), 'a');
    try {
      for (let size = chunk.length; size >= 1; ) {
        try {
          writeSync(file, chunk, 0, size);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          size = Math.floor(size / 2);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what `fillUp` took. */
  makeRoom(): void {
    while (this.#fill > 0) rmSync(join(this.path, `fill-${--this.#fill}`), { force: true });
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.path]);
  }
}
