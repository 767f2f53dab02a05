import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, toDisposable } from '../../../src/base/index.ts';
import type { JournalRow } from '../../../src/fleet/index.ts';
import { type OpenDb, openSqlite } from '../../../src/store/db.ts';

/** A folder that is gone with everything in it at the end of the block. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'concert-store-'));
  return { path, ...toDisposable(() => rmSync(path, { recursive: true, force: true })) };
}

/** Rows `first` to `first + count - 1`, each different, with text that is awkward to store. */
export function rows(first: number, count: number): JournalRow[] {
  return Array.from({ length: count }, (_, n) => {
    const seq = first + n;
    const name = `näme "${seq}" \u0000 \u202e \ud83d\ude00 ${'x'.repeat((seq * 37) % 200)}`;
    return {
      seq,
      at: 1_700_000_000_000 + seq,
      host: 'h1',
      event: { type: 'session.renamed', session: `s_${seq}`, name },
    };
  });
}

/** For tests about what is in the files, not about when it is on the disk. */
export const openWithoutWaiting: OpenDb = (path, mode) => {
  const db = openSqlite(path, mode);
  db.pragma('synchronous = OFF');
  return db;
};

/** A clock that stands still until told otherwise. */
export class ManualClock implements Clock {
  #now = 1_700_000_000_000;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Disposable {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return toDisposable(() => this.#timers.delete(timer));
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }
}

const journalFiles = ['', '-wal', '.head'];

/** Copies a journal as a crash would leave it. */
export function copyJournal(from: string, to: string): void {
  for (const suffix of [...journalFiles, '-shm']) rmSync(`${to}${suffix}`, { force: true });
  for (const suffix of journalFiles)
    if (existsSync(`${from}${suffix}`)) copyFileSync(`${from}${suffix}`, `${to}${suffix}`);
}
