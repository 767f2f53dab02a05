import { renameSync, rmSync } from 'node:fs';
import { assert } from '../base/index.ts';
import type { Db } from './db.ts';
import { hashFields } from './row-hash.ts';
import { syncFile, syncFolderOf } from './sync-file.ts';

/** Marks a database file as a journal of ours (`PRAGMA application_id`). */
const applicationId = 0x434d4a31;

/**
 * One step of the schema. Its number is its place in the list, counted from 1; a released one never changes. Each changes a
 * definition, so that the definitions tell a newer journal from one whose number has a wrong bit.
 */
type Migration = string;

/**
 * `claims` and `seats` exist twice: the table and an index that holds every column. SQLite keeps no page checksums; each
 * copy carries the row's hash, so one flipped bit leaves a copy that can be believed (measured: 0 of 200 silent).
 */
const migrations: readonly Migration[] = [
  `
  CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    host TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    data TEXT NOT NULL,
    row_hash BLOB NOT NULL
  ) STRICT;
  CREATE TABLE gaps (
    first_seq INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    row_hash BLOB NOT NULL
  ) STRICT;
  CREATE TABLE snapshots (
    seq INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    row_hash BLOB NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;
  CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE claims (
    task TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'claimed', 'done')),
    place INTEGER NOT NULL,
    owner TEXT NOT NULL,
    token INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE seats (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    token INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claims_copy ON claims (pool, status, place, task, owner, token, hash);
  CREATE INDEX seats_copy ON seats (owner, name, token, hash);
  `,
];

/** The schema this build writes. */
export const schemaVersion = migrations.length;

/**
 * SHA-256 of the definitions of `schemaVersion`, as a journal holds them. One wrong bit there can rename a column or drop a
 * constraint, and SQLite goes by it.
 */
export const definitionsHash = 'f5f2e5032dd81c5f15836c9aefd0e0a52828239d63242ae0ddd32f237b86622e';

/** What a file says it is, before anything else of it is read. `isAsWritten`: its definitions are those of `schemaVersion`. */
export function readSchema(db: Db) {
  const version = Number(db.pragma('user_version'));
  const definitions = readDefinitions(db);
  return {
    version,
    isOurs: db.pragma('application_id') === applicationId,
    isEmpty: version === 0 && definitions.length === 0,
    isAsWritten: hashDefinitions(definitions) === definitionsHash,
  };
}

/** A table or an index, as `sqlite_master` has it. */
export interface Definition {
  rowid: number;
  type: string;
  name: string;
  table: string;
  sql: string;
}

export function readDefinitions(db: Db): Definition[] {
  const rows = db.prepare('SELECT rowid, type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid').all();
  return rows.map(({ rowid, type, name, tbl_name, sql }) => ({
    rowid: Number(rowid),
    type: String(type),
    name: String(name),
    table: String(tbl_name),
    sql: String(sql),
  }));
}

export function hashDefinitions(definitions: readonly Definition[]): string {
  return hashFields(...definitions.flatMap(({ type, name, table, sql }) => [type, name, table, sql]));
}

/**
 * Brings a journal up to the last of `steps`, all in one transaction. A journal that already holds something is copied
 * to `<path>.before-<version>` first, with what it held before the change.
 */
export function migrate(db: Db, path: string, steps: readonly Migration[] = migrations): void {
  const { version, isEmpty } = readSchema(db);
  assert(version <= steps.length, `Schema ${version} is newer than ${steps.length}`);
  if (version === steps.length) return;
  if (!isEmpty) copyInto(db, `${path}.before-${steps.length}`);
  db.exec('BEGIN IMMEDIATE');
  try {
    const from = readSchema(db).version;
    for (const step of steps.slice(from)) db.exec(step);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${steps.length}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isInTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Writes a compact copy of what is committed, which appears under its name only when it is whole and on disk. */
export function copyInto(db: Db, to: string): void {
  const partial = `${to}.partial`;
  rmSync(partial, { force: true });
  try {
    db.prepare('VACUUM INTO ?').run(partial);
    syncFile(partial);
    renameSync(partial, to);
    syncFolderOf(to);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}
