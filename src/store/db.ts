import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import Database from 'better-sqlite3';
import { assert } from '../base/index.ts';

type SqlValue = string | number | Uint8Array | null;
export type SqlRow = Record<string, unknown>;

export interface Statement {
  /** Number of rows changed. */
  run(...values: SqlValue[]): number;
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
  /** One row at a time. Nothing else may run on the connection until it ends or is left. */
  each(...values: SqlValue[]): Iterable<SqlRow>;
}

/** The whole of SQLite that the store uses: the seam where another driver, or a failing disk, is put in. */
export interface Db extends Disposable {
  readonly isInTransaction: boolean;
  prepare(sql: string): Statement;
  exec(sql: string): void;
  /** First column of the first row. */
  pragma(text: string): unknown;
}

/**
 * `read` leaves the database and its write-ahead log as they are, byte for byte. `frozen` reads where not even a lock can be
 * kept: only what is in the database file itself, all of it in memory. `create` makes a missing file. `heal` lets
 * `sqlite_master` be written, whatever state the schema is in; nothing else of the file can be relied on then.
 */
type DbMode = 'read' | 'frozen' | 'write' | 'create' | 'heal';
export type OpenDb = (path: string, mode: DbMode) => Db;

/** How long a statement waits for another program's lock, in ms: a backup by hand is through in less. */
export const busyTimeoutMs = 5_000;

/** Below it several connections can damage a write-ahead log (fixed in 3.51.3 and 3.53.0, sqlite.org/wal.html). */
const sqliteVersionMin = [3, 51, 3] as const;

/** Opens one connection through better-sqlite3. The owner closes it. */
export const openSqlite: OpenDb = (path, mode) => {
  assert(isAbsolute(path), `A database needs an absolute path, not "${path}"`);
  const native = new Database(mode === 'frozen' ? imageOf(path) : path, {
    readonly: mode === 'read' || mode === 'frozen',
    fileMustExist: mode !== 'create',
    timeout: busyTimeoutMs,
  });
  try {
    if (mode === 'heal') {
      native.unsafeMode(true);
      native.pragma('writable_schema = ON');
      return adapt(native);
    }
    assertVersion(String(native.prepare('SELECT sqlite_version()').pluck().get()));
    native.pragma('trusted_schema = OFF');
    native.pragma('cell_size_check = ON');
    if (mode === 'write' || mode === 'create') makeDurable(native);
  } catch (error) {
    native.close();
    throw error;
  }
  return adapt(native);
};

/** The file's bytes, marked as a database without a write-ahead log: SQLite cannot keep one for bytes in memory. */
function imageOf(path: string): Buffer {
  const bytes = readFileSync(path);
  if (bytes.length > 20) bytes.fill(1, 18, 20);
  return bytes;
}

/** A commit is on the platter before it returns (`fullfsync` matters on macOS only). Checkpoints are run by the owner, after it has answered. */
function makeDurable(native: Database.Database): void {
  assert(native.pragma('journal_mode = WAL', { simple: true }) === 'wal', 'The journal needs a write-ahead log');
  native.pragma('synchronous = FULL');
  native.pragma('fullfsync = ON');
  native.pragma('foreign_keys = ON');
  native.pragma('wal_autocheckpoint = 0');
}

function adapt(native: Database.Database): Db {
  return {
    get isInTransaction() {
      return native.inTransaction;
    },
    prepare(sql) {
      const statement = native.prepare<SqlValue[], SqlRow>(sql);
      return {
        run: (...values) => statement.run(...values).changes,
        get: (...values) => statement.get(...values),
        all: (...values) => statement.all(...values),
        each: (...values) => statement.iterate(...values),
      };
    },
    exec(sql) {
      native.exec(sql);
    },
    pragma: (text) => native.pragma(text, { simple: true }),
    [Symbol.dispose]() {
      native.close();
    },
  };
}

function assertVersion(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [at, min] of sqliteVersionMin.entries()) {
    const part = parts[at] ?? 0;
    if (part > min) return;
    assert(part === min, `SQLite ${version} is older than ${sqliteVersionMin.join('.')}`);
  }
}
