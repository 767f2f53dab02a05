import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JournalCondition } from '../fleet/index.ts';
import { Ballast, ballastBytesDefault } from './ballast.ts';
import { type Db, type OpenDb, openSqlite } from './db.ts';
import { checkPages, empty, examineJournal, type Findings, nothingFound } from './examine-journal.ts';
import { type Head, HeadWitness, readHead } from './head-witness.ts';
import { JournalFile } from './journal-file.ts';
import { migrate, readSchema, schemaVersion } from './schema.ts';
import { errorCode, isDamage, StoreError, toStoreError } from './store-error.ts';

/**
 * Up to this size SQLite checks the structure of the whole file before it is used: 1.3 ms per MB, so about 43 ms, when it
 * is cached, many times that when it is not. Above it the check runs beside the daemon, which must be ready again within a
 * second, and stops further writing when it finds damage.
 */
const pagesCheckedBytesMax = 32 * 1024 * 1024;

/** A larger journal in a folder where nothing can be written is copied elsewhere instead of being read into memory. */
const frozenBytesMax = 512 * 1024 * 1024;

export interface JournalFileOptions {
  /** Absolute; its folder exists. */
  path: string;
  openDb?: OpenDb;
  ballastBytes?: number;
  pagesCheckedBytesMax?: number;
}

export interface OpenedFile extends Findings {
  file: JournalFile;
  /** Too large to be checked at once. */
  isCheckPending: boolean;
}

/**
 * Opens a journal, making it if there is none. Whatever is wrong with it is told by `condition`, with what could be proven
 * up to there; a file that is not sound is not changed by a byte. Throws a `StoreError` when there is nothing to open and
 * none can be made.
 */
export function openJournalFile(options: JournalFileOptions): OpenedFile {
  const opening = new Opening(options);
  try {
    return opening.run();
  } catch (error) {
    throw toStoreError(error, options.path) ?? error;
  }
}

class Opening {
  readonly #path: string;
  readonly #openDb: OpenDb;
  readonly #ballast: Ballast;
  readonly #head: Head | null;
  readonly #isLarge: boolean;

  constructor(options: JournalFileOptions) {
    this.#path = options.path;
    this.#openDb = options.openDb ?? openSqlite;
    this.#ballast = new Ballast(options.path, options.ballastBytes ?? ballastBytesDefault);
    this.#head = readHead(options.path);
    this.#isLarge = sizeOf(options.path) > (options.pagesCheckedBytesMax ?? pagesCheckedBytesMax);
  }

  run(): OpenedFile {
    if (sizeOf(this.#path) === 0) return this.#wasNeverWritten() ? this.#create() : this.#gone();
    const reader = this.#read();
    if (reader instanceof Error) return this.#closed(null, nothingFound(this.#head, [reader.message]));
    try {
      return this.#proceed(reader);
    } catch (error) {
      if (isDamage(errorCode(error))) return this.#closed(reader, nothingFound(this.#head, [String(error)]));
      reader[Symbol.dispose]();
      throw error;
    }
  }

  #proceed(reader: Db): OpenedFile {
    const { version, isOurs, isEmpty, isAsWritten } = readSchema(reader);
    if (isEmpty && this.#wasNeverWritten()) {
      reader[Symbol.dispose]();
      return this.#create();
    }
    if (!isOurs) return this.#closed(reader, nothingFound(this.#head, ['it is not a journal of this program']));
    if (isAsWritten && version !== schemaVersion)
      return this.#closed(reader, nothingFound(this.#head, [`its schema number ${version} is not what was written`]));
    if (version > schemaVersion) return this.#closed(reader, newer(version));
    if (version < schemaVersion) return this.#upgrade(reader);
    return this.#open(reader);
  }

  #open(reader: Db): OpenedFile {
    const findings = examineJournal(reader, this.#head, !this.#isLarge);
    if (findings.condition.kind !== 'sound') return this.#closed(reader, findings);
    const writer = this.#write();
    if (writer instanceof StoreError)
      return this.#closed(reader, { ...findings, condition: { kind: 'read-only', message: writer.message } });
    reader[Symbol.dispose]();
    return this.#opened(writer, findings);
  }

  /** Checked before it is changed: what a damaged file holds must not get worse. */
  #upgrade(reader: Db): OpenedFile {
    const troubles = checkPages(reader);
    if (troubles.length > 0) return this.#closed(reader, nothingFound(this.#head, troubles));
    const writer = this.#write();
    if (writer instanceof StoreError)
      return this.#closed(reader, { ...empty, condition: { kind: 'read-only', message: writer.message } });
    reader[Symbol.dispose]();
    try {
      migrate(writer, this.#path);
    } finally {
      writer[Symbol.dispose]();
    }
    return this.run();
  }

  #create(): OpenedFile {
    closeSync(openSync(this.#path, 'a', 0o600));
    const db = this.#openDb(this.#path, 'create');
    try {
      migrate(db, this.#path);
    } catch (error) {
      db[Symbol.dispose]();
      throw error;
    }
    return this.#opened(db, { ...empty, condition: { kind: 'sound' } });
  }

  /** The witness remembers a journal that is no longer there. */
  #gone(): OpenedFile {
    return this.#closed(null, nothingFound(this.#head, ['the file is empty or gone']));
  }

  #opened(db: Db, findings: Findings): OpenedFile {
    const witness = HeadWitness.open(this.#path);
    const file = new JournalFile({
      path: this.#path,
      db,
      end: findings.end,
      refusal: null,
      ballast: this.#ballast,
      witness,
    });
    return { ...findings, file, isCheckPending: this.#isLarge };
  }

  #closed(db: Db | null, findings: Findings): OpenedFile {
    const refusal = refusalOf(findings.condition);
    const file = new JournalFile({
      path: this.#path,
      db,
      end: findings.end,
      refusal,
      ballast: this.#ballast,
      witness: null,
    });
    return { ...findings, file, isCheckPending: false };
  }

  #wasNeverWritten(): boolean {
    return (this.#head?.seq ?? 0) === 0 && sizeOf(`${this.#path}-wal`) === 0;
  }

  /** A connection that changes nothing; what SQLite says when the file is no database any more. */
  #read(): Db | Error {
    try {
      return touched(this.#openDb(this.#path, 'read'));
    } catch (error) {
      if (error instanceof Error && isDamage(errorCode(error))) return error;
      if (errorCode(error) === 'SQLITE_READONLY_ROLLBACK') return touched(this.#openDb(this.#path, 'write'));
      const named = toStoreError(error, this.#path);
      if (named === null) throw error;
      if (named.code === 'disk/full' && this.#ballast.release()) return this.#read();
      return this.#readWithoutTouchingTheFolder();
    }
  }

  /** Where no lock file can be made: in memory when its log is empty, else from a copy elsewhere. */
  #readWithoutTouchingTheFolder(): Db {
    if (sizeOf(`${this.#path}-wal`) === 0 && sizeOf(this.#path) <= frozenBytesMax)
      return touched(this.#openDb(this.#path, 'frozen'));
    const folder = mkdtempSync(join(tmpdir(), 'concert-journal-'));
    const remove = () => rmSync(folder, { recursive: true, force: true });
    try {
      const copy = join(folder, 'journal.db');
      copyFileSync(this.#path, copy);
      if (existsSync(`${this.#path}-wal`)) copyFileSync(`${this.#path}-wal`, `${copy}-wal`);
      return disposing(touched(this.#openDb(copy, 'read')), remove);
    } catch (error) {
      remove();
      throw error;
    }
  }

  /** A connection that may write, or why there is none. */
  #write(): Db | StoreError {
    let db: Db | null = null;
    try {
      db = this.#openDb(this.#path, 'write');
      db.exec('BEGIN IMMEDIATE');
      db.exec('ROLLBACK');
      return db;
    } catch (error) {
      db?.[Symbol.dispose]();
      const named = toStoreError(error, this.#path);
      if (named === null || named.code === 'journal/damaged') throw error;
      if (named.code === 'disk/full' && this.#ballast.release()) return this.#write();
      return named;
    }
  }
}

/** A connection reads nothing before its first statement; what is wrong with the file shows here. */
function touched(db: Db): Db {
  try {
    readSchema(db);
    return db;
  } catch (error) {
    db[Symbol.dispose]();
    throw error;
  }
}

function disposing(db: Db, after: () => void): Db {
  return {
    get isInTransaction() {
      return db.isInTransaction;
    },
    prepare: (sql) => db.prepare(sql),
    exec: (sql) => db.exec(sql),
    pragma: (text) => db.pragma(text),
    [Symbol.dispose]() {
      db[Symbol.dispose]();
      after();
    },
  };
}

function newer(version: number): Findings {
  const message = `The journal was written by a newer version (schema ${version}, this one knows ${schemaVersion}). It is left as it is; sessions keep running`;
  return { ...empty, condition: { kind: 'newer', schemaVersion: version, message } };
}

function refusalOf(condition: JournalCondition): StoreError | null {
  switch (condition.kind) {
    case 'sound':
      return null;
    case 'damaged':
      return new StoreError('journal/damaged', condition.message);
    case 'newer':
      return new StoreError('journal/newer', condition.message);
    case 'read-only':
      return new StoreError('disk/read-only', condition.message);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
