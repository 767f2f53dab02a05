import { existsSync } from 'node:fs';
import { believeClaim, believeSeat, type ClaimRow, type SeatRow } from './claim-book.ts';
import { type Db, openSqlite, type SqlRow, type Statement } from './db.ts';
import { healFirstPage } from './heal-first-page.ts';
import { readEpoch } from './meta.ts';
import { type ChainEnd, type EncodedRow, hashRow, readEncodedRow } from './row-hash.ts';
import { readSchema } from './schema.ts';
import { readSnapshots, type StoredSnapshot } from './snapshots.ts';
import { prepareStatements, type Statements } from './statements.ts';
import { errorCode, StoreError } from './store-error.ts';
import { type Gap, proveRow, readGaps, storedChainEnd } from './walk-rows.ts';

/**
 * A file, sound or not, from which a repair takes what proves itself. Whatever cannot be read is as if it were not there.
 */
export class SalvageSource implements Disposable {
  readonly #db: Db;
  readonly #statements: Statements;
  readonly snapshots: readonly StoredSnapshot[];
  readonly gaps: readonly Gap[];
  readonly claims: readonly ClaimRow[];
  readonly seats: readonly SeatRow[];
  readonly epoch: number;

  private constructor(db: Db, statements: Statements) {
    this.#db = db;
    this.#statements = statements;
    this.snapshots = readOr([], () => [...readSnapshots(statements)]);
    this.gaps = readOr([], () => readGaps(statements));
    this.claims = [statements.claims, statements.claimsCopy].flatMap((read) => believed(read, believeClaim));
    this.seats = [statements.seats, statements.seatsCopy].flatMap((read) => believed(read, believeSeat));
    this.epoch = readOr(0, () => readEpoch(statements));
  }

  /** Null for a file that is no journal any more. `healed` is where a copy may be made if that is what it takes to read it. */
  static open(path: string, healed: string): SalvageSource | null {
    return SalvageSource.#read(path) ?? SalvageSource.#readHealed(path, healed);
  }

  static #read(path: string): SalvageSource | null {
    const db = readOr(null, () => openSqlite(path, 'read'));
    if (db === null) return null;
    if (readOr(false, () => readSchema(db).isAsWritten)) return new SalvageSource(db, prepareStatements(db));
    db[Symbol.dispose]();
    return null;
  }

  static #readHealed(path: string, healed: string): SalvageSource | null {
    if (!existsSync(path)) return null;
    return readOr(null, () => {
      healFirstPage(path, healed);
      return SalvageSource.#read(healed);
    });
  }

  /** The row that follows `end`, if this file can prove one. */
  rowAfter(end: ChainEnd): { row: EncodedRow; rowHash: string } | null {
    return readOr(null, () => proveRow(this.#statements.rowAt.get(end.seq + 1) ?? {}, end.rowHash));
  }

  /** Where the chain stood before the row at `end`, if this file can prove that row from behind: its hash covers the one before. */
  endBefore(end: ChainEnd): ChainEnd | null {
    return readOr(null, () => {
      const before = storedChainEnd(this.#statements, end.seq - 1);
      const row = readEncodedRow(this.#statements.rowAt.get(end.seq) ?? {});
      return before && row && hashRow(before.rowHash, row) === end.rowHash ? before : null;
    });
  }

  [Symbol.dispose](): void {
    this.#db[Symbol.dispose]();
  }
}

/** Every record that proves itself, up to where the file can no longer be read. */
function believed<T>(read: Statement, believe: (row: SqlRow) => T | null): T[] {
  const found: T[] = [];
  readOr(null, () => {
    for (const row of read.each()) {
      const one = believe(row);
      if (one) found.push(one);
    }
    return null;
  });
  return found;
}

function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError || errorCode(error).startsWith('SQLITE_')) return otherwise;
    throw error;
  }
}
