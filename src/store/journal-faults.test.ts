import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { copyJournal, openWithoutWaiting, rows, temporaryFolder } from '../../test/support/store/fixtures.ts';
import type { CoordinationStep } from '../fleet/index.ts';
import type { Db, OpenDb } from './db.ts';
import type { JournalFile, WriteItem } from './journal-file.ts';
import { openJournalFile } from './open-journal-file.ts';
import { decodeRow, encodeRow } from './row-hash.ts';
import { StoreError } from './store-error.ts';
import { verifyJournalFile } from './verify-journal.ts';

/** What SQLite says when the disk fails, and when it is full. */
const codes = ['SQLITE_IOERR_FSYNC', 'SQLITE_FULL'] as const;

/** Whether the failing statement takes effect all the same: for a commit the worst case, its answer is lost. */
const moments = ['before', 'after'] as const;

const lastSeq = 6;

/** The `at`-th statement of a connection's life fails once. */
interface Fault {
  at: number;
  code: string;
  moment: (typeof moments)[number];
  count: number;
}

describe.each(codes)('a disk that answers %s', { timeout: 60_000 }, (code) => {
  test.each(moments)('%s any one statement takes effect loses nothing that was acknowledged', (moment) => {
    using folder = temporaryFolder();
    let isReached = true;
    for (let at = 1; isReached; at += 1) {
      const path = join(folder.path, 'journal.db');
      for (const suffix of ['', '-wal', '-shm', '.head']) rmSync(`${path}${suffix}`, { force: true });
      const fault: Fault = { at, code, moment, count: 0 };
      live(path, failing(fault));
      isReached = fault.count >= at;
      expect(at, 'the story ends').toBeLessThan(500);
    }
  });
});

/** A short life with everything in it. Whatever is refused is asked again, as a caller would. */
function live(path: string, openDb: OpenDb): void {
  const file = insist(() => openSound(path, openDb));
  const write = (...items: WriteItem[]) => insist(() => acknowledged(file, items));
  write(append(1, 1, [{ type: 'enqueue', task: 't_1', pool: 'p' }]));
  write(append(2, 2), append(4, 1, [{ type: 'claim', task: 't_1', owner: 's_1', token: 1 }]));
  insist(() => file.writeSnapshot(4, '{}'));
  write(append(5, 1));
  expect(insist(() => file.read(1, 2)).map(decodeRow)).toEqual(rows(2, 2));
  file.tend();
  write(append(6, 1, [{ type: 'release', task: 't_1', owner: 's_1', token: 1 }]));
  expectEverything(path);
  file[Symbol.dispose]();
}

function openSound(path: string, openDb: OpenDb): JournalFile {
  const { file, condition } = openJournalFile({ path, openDb, ballastBytes: 0 });
  if (condition.kind === 'sound') return file;
  file[Symbol.dispose]();
  throw new StoreError('disk/failing', condition.kind);
}

/** Throws the refusal of the first that was refused: the rest were refused with it or did not depend on it. */
function acknowledged(file: JournalFile, items: WriteItem[]): void {
  for (const outcome of file.write(items)) if (!outcome.ok) throw outcome.error;
}

/** Once more after one failure of the world. */
function insist<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    expect(error.code).toMatch(/^disk\//);
    return act();
  }
}

/** As a kill at this moment would leave it. */
function expectEverything(path: string): void {
  const copy = `${path}.copy`;
  copyJournal(path, copy);
  const { file, condition, rows: found } = openJournalFile({ path: copy, openDb: openWithoutWaiting, ballastBytes: 0 });
  expect({ condition, found: found.map(decodeRow), history: file.read(0, 100).map(decodeRow) }).toEqual({
    condition: { kind: 'sound' },
    found: rows(5, 2),
    history: rows(1, lastSeq),
  });
  const claim = file.write([{ type: 'coordinate', epoch: 1, request: { type: 'claim', pool: 'p', owner: 's_2' } }]);
  expect(claim).toEqual([{ ok: true, value: { task: 't_1', owner: 's_2', token: 2 } }]);
  file[Symbol.dispose]();
  expect(verifyJournalFile(copy)).toMatchObject({
    condition: { kind: 'sound' },
    events: lastSeq,
    snapshots: 1,
    claims: 1,
  });
}

function append(first: number, count: number, steps: CoordinationStep[] = []): WriteItem {
  return { type: 'append', epoch: 1, rows: rows(first, count).map(encodeRow), steps };
}

function failing(fault: Fault): OpenDb {
  return (path, mode) => {
    const db = openWithoutWaiting(path, mode);
    const guard = <T>(act: () => T): T => {
      fault.count += 1;
      if (fault.count !== fault.at) return act();
      if (fault.moment === 'after') act();
      throw new Database.SqliteError('the disk fails', fault.code);
    };
    return guarded(db, guard);
  };
}

function guarded(db: Db, guard: <T>(act: () => T) => T): Db {
  return {
    get isInTransaction() {
      return db.isInTransaction;
    },
    prepare(sql) {
      const statement = db.prepare(sql);
      return {
        run: (...values) => guard(() => statement.run(...values)),
        get: (...values) => guard(() => statement.get(...values)),
        all: (...values) => guard(() => statement.all(...values)),
        each: (...values) => guard(() => statement.all(...values)),
      };
    },
    exec: (sql) => guard(() => db.exec(sql)),
    pragma: (text) => guard(() => db.pragma(text)),
    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}
