import { statSync } from 'node:fs';
import { assert } from '../base/index.ts';
import type { CoordinationStep } from '../fleet/index.ts';
import type { Ballast } from './ballast.ts';
import { ClaimBook, type CoordinationAnswer, type CoordinationRequest } from './claim-book.ts';
import { busyTimeoutMs, type Db } from './db.ts';
import type { HeadWitness } from './head-witness.ts';
import { readEpoch, writeEpoch } from './meta.ts';
import { blobToHex, type ChainEnd, type EncodedRow, hashRow, hexToBlob } from './row-hash.ts';
import { writeSnapshot } from './snapshots.ts';
import { prepareStatements, type Statements } from './statements.ts';
import { errorCode, StoreError, toStoreError } from './store-error.ts';
import { readGaps, storedChainEnd, walkRows } from './walk-rows.ts';

/** One thing to be made durable. Several share a transaction and its flush. */
export type WriteItem =
  | { type: 'append'; epoch: number; rows: readonly EncodedRow[]; steps: readonly CoordinationStep[] }
  | { type: 'coordinate'; epoch: number; request: CoordinationRequest };

export type Outcome = { ok: true; value: CoordinationAnswer } | { ok: false; error: StoreError };

/** The disk was full and the reserve was given back, or there is room again and it is whole. */
export type SpaceNotice = 'reserve-used' | 'reserve-restored';

/** The write-ahead log is folded into the database beyond this; about 1,000 pages, as SQLite itself would. */
const walBytesMax = 4 * 1024 * 1024;

/** Where a transaction stands before it is committed. */
interface Turn {
  end: ChainEnd;
  epoch: number;
}

export interface JournalFileParts {
  path: string;
  /** Null when not even reading is possible. The file closes it. */
  db: Db | null;
  end: ChainEnd;
  /** Why nothing may be written, or null. */
  refusal: StoreError | null;
  ballast: Ballast;
  witness: HeadWitness | null;
}

/**
 * The one that writes a journal: transactions, the chain, the fences. Everything here blocks, so it lives in the journal's
 * worker. A failure leaves file and chain as they were; once the file shows damage nothing more is written to it.
 */
export class JournalFile implements Disposable {
  readonly #path: string;
  readonly #db: Db | null;
  readonly #statements: Statements | null;
  readonly #claims: ClaimBook | null;
  readonly #ballast: Ballast;
  readonly #witness: HeadWitness | null;
  #end: ChainEnd;
  #refusal: StoreError | null;
  /** Why the last batch with rows was refused: those made after it do not count without it. */
  #refusedLast: StoreError | null = null;
  #isReserveUsed = false;
  #notices: SpaceNotice[] = [];

  constructor({ path, db, end, refusal, ballast, witness }: JournalFileParts) {
    this.#path = path;
    this.#db = db;
    this.#statements = db && prepareStatements(db);
    this.#claims = this.#statements && new ClaimBook(this.#statements);
    this.#end = end;
    this.#refusal = refusal;
    this.#ballast = ballast;
    this.#witness = witness;
  }

  /** All in one transaction; an item that is refused changes nothing and leaves the others alone. In the order given. */
  write(items: readonly WriteItem[]): Outcome[] {
    try {
      return this.#withReserve(() => this.#transaction((turn) => items.map((item) => this.#apply(turn, item))));
    } catch (error) {
      const named = this.#name(error);
      for (const item of items) if (hasRows(item)) this.#refusedLast = named;
      return items.map(() => ({ ok: false, error: named }));
    }
  }

  /** Replaces the oldest of the kept snapshots. The reserve is not used for it: a missing snapshot only costs time. */
  writeSnapshot(seq: number, state: string): void {
    try {
      this.#transaction((turn, statements) => {
        const end = seq === turn.end.seq ? turn.end : storedChainEnd(statements, seq);
        if (end?.seq !== seq) throw this.#leavesHole(`The journal ends at ${turn.end.seq}, the snapshot is of ${seq}`);
        writeSnapshot(statements, { seq, state, rowHash: end.rowHash });
      });
    } catch (error) {
      throw this.#name(error);
    }
  }

  /** Proven rows after `afterSeq`, at most `limit`. Throws when the very next one cannot be believed. */
  read(afterSeq: number, limit: number): EncodedRow[] {
    const statements = this.#statements;
    const count = Math.min(limit, this.#end.seq - afterSeq);
    if (statements === null || count <= 0) return [];
    try {
      const from = storedChainEnd(statements, afterSeq);
      if (from === null) throw this.#unbelievable(`event ${afterSeq} is missing`);
      const { rows, trouble, cause } = walkRows(statements, from, count, readGaps(statements));
      if (rows.length === 0 && trouble) throw cause ?? this.#unbelievable(trouble);
      return rows;
    } catch (error) {
      throw this.#name(error);
    }
  }

  /** Pools whose claims the last writes changed. */
  takeChangedPools(): string[] {
    const pools = [...(this.#claims?.changedPools ?? [])];
    this.#claims?.changedPools.clear();
    return pools;
  }

  takeNotices(): SpaceNotice[] {
    return this.#notices.splice(0);
  }

  /** Folds the log into the database when it has grown long. Run after the answers are out, so that nobody waits for it. */
  foldLongLog(): void {
    if (this.#logBytes() > walBytesMax) this.#checkpoint('PASSIVE');
  }

  /** When idle: folds and empties the log, and takes a part of the reserve. True asks to be called again soon. */
  tend(): boolean {
    if (this.#refusal !== null) return false;
    if (this.#logBytes() > 0) this.#checkpoint('TRUNCATE');
    const growth = this.#ballast.grow();
    if (growth === 'full' && this.#isReserveUsed) {
      this.#isReserveUsed = false;
      this.#notices.push('reserve-restored');
    }
    return growth === 'more';
  }

  /** Refuses every write from now on. */
  distrust(message: string): void {
    this.#refusal ??= this.#unbelievable(message);
  }

  [Symbol.dispose](): void {
    this.#witness?.[Symbol.dispose]();
    this.#db?.[Symbol.dispose]();
  }

  #apply(turn: Turn, item: WriteItem): Outcome {
    try {
      return { ok: true, value: item.type === 'append' ? this.#append(turn, item) : this.#coordinate(turn, item) };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (hasRows(item)) this.#refusedLast = error;
      return { ok: false, error };
    }
  }

  #append(turn: Turn, { epoch, rows, steps }: Extract<WriteItem, { type: 'append' }>): null {
    this.#fence(turn, epoch);
    if (rows.length === 0 && this.#refusedLast) throw this.#refusedLast;
    const first = rows[0]?.seq ?? turn.end.seq + 1;
    if (first <= turn.end.seq) return this.#acknowledgeAgain(turn, rows);
    if (first > turn.end.seq + 1)
      throw this.#leavesHole(`The journal ends at ${turn.end.seq}, the batch begins at ${first}`);
    this.#applySteps(steps);
    if (epoch > turn.epoch) writeEpoch(this.#prepared(), epoch);
    turn.epoch = epoch;
    for (const row of rows) turn.end = this.#insert(turn.end, row);
    if (rows.length > 0) this.#refusedLast = null;
    return null;
  }

  #coordinate(turn: Turn, { epoch, request }: Extract<WriteItem, { type: 'coordinate' }>): CoordinationAnswer {
    this.#fence(turn, epoch);
    assert(this.#claims, 'A journal that can be written has claims');
    return this.#claims.answer(request);
  }

  #fence(turn: Turn, epoch: number): void {
    if (epoch >= turn.epoch) return;
    throw new StoreError(
      'journal/fenced',
      `Cannot write "${this.#path}": daemon epoch ${turn.epoch} has taken over from ${epoch}. Sessions keep running under it`,
    );
  }

  /** A batch that an earlier attempt has written after all (its answer was lost) counts; any other says that somebody else writes here. */
  #acknowledgeAgain(turn: Turn, rows: readonly EncodedRow[]): null {
    const statements = this.#prepared();
    let end = storedChainEnd(statements, (rows[0]?.seq ?? 0) - 1);
    for (const row of rows) {
      const rowHash = end && hashRow(end.rowHash, row);
      if (rowHash === null || blobToHex(statements.rowAt.get(row.seq)?.row_hash) !== rowHash)
        throw this.#overtaken(turn.end.seq);
      end = { seq: row.seq, rowHash };
    }
    return null;
  }

  #applySteps(steps: readonly CoordinationStep[]): void {
    if (steps.length === 0) return;
    const { savepoint, rollbackToSavepoint, releaseSavepoint } = this.#prepared();
    savepoint.run();
    try {
      for (const step of steps) if (!this.#claims?.apply(step)) throw staleStep(step);
    } catch (error) {
      if (error instanceof StoreError) {
        rollbackToSavepoint.run();
        releaseSavepoint.run();
      }
      throw error;
    }
    releaseSavepoint.run();
  }

  #insert(end: ChainEnd, row: EncodedRow): ChainEnd {
    const { seq, at, host, type, subject, data } = row;
    assert(seq === end.seq + 1 && Number.isSafeInteger(at), `Event ${seq} at ${at} cannot follow event ${end.seq}`);
    const rowHash = hashRow(end.rowHash, row);
    try {
      this.#prepared().insertRow.run(seq, at, host, type, subject, data, hexToBlob(rowHash));
    } catch (error) {
      throw errorCode(error) === 'SQLITE_CONSTRAINT_PRIMARYKEY' ? new Overtaken(this.#overtaken(end.seq)) : error;
    }
    return { seq, rowHash };
  }

  #transaction<T>(body: (turn: Turn, statements: Statements) => T): T {
    if (this.#refusal !== null) throw this.#refusal;
    const statements = this.#prepared();
    if (this.#db?.isInTransaction) statements.rollback.run();
    let turn: Turn | null = null;
    try {
      statements.begin.run();
      turn = { end: this.#end, epoch: readEpoch(statements) };
      const value = body(turn, statements);
      statements.commit.run();
      this.#advance(turn);
      return value;
    } catch (error) {
      this.#claims?.changedPools.clear();
      this.#undo(statements, turn);
      throw error;
    }
  }

  /** Leaves the transaction, or, when its commit took place although it reported an error, goes on from there. */
  #undo(statements: Statements, turn: Turn | null): void {
    try {
      if (this.#db?.isInTransaction) statements.rollback.run();
      else if (turn !== null && turn.end.seq > this.#end.seq && isLastRow(statements, turn.end)) this.#advance(turn);
    } catch (error) {
      // The next transaction begins by rolling back; what made this one fail is told instead.
      if (toStoreError(error, this.#path) === null) throw error;
    }
  }

  #advance(turn: Turn): void {
    if (turn.end.seq > this.#end.seq) this.#witness?.write({ ...turn.end, epoch: turn.epoch });
    this.#end = turn.end;
  }

  /** Once more with the reserve given back, if the disk was full and there was one. */
  #withReserve<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      if (toStoreError(error, this.#path)?.code !== 'disk/full' || !this.#ballast.release()) throw error;
      this.#isReserveUsed = true;
      this.#notices.push('reserve-used');
      return write();
    }
  }

  /** Does not wait for a reader (a backup, a check): what it cannot fold now it folds the next time. */
  #checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    for (const step of ['busy_timeout = 0', `wal_checkpoint(${mode})`, `busy_timeout = ${busyTimeoutMs}`]) {
      try {
        this.#db?.pragma(step);
      } catch (error) {
        // The log still holds everything; a disk that will not take it is told by the next commit that fails.
        this.#name(error);
      }
    }
  }

  #logBytes(): number {
    return statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  /**
   * The world's failures by name; our own go on. Damage is remembered: writing on would spread it. In a file known to be
   * damaged a table may be missing, too.
   */
  #name(error: unknown): StoreError {
    const named = error instanceof Overtaken ? error.told : toStoreError(error, this.#path);
    if (named === null && this.#refusal !== null && errorCode(error).startsWith('SQLITE_')) return this.#refusal;
    if (named === null) throw error;
    if (named.code === 'journal/damaged' && named !== error) this.#refusal ??= named;
    return named;
  }

  #prepared(): Statements {
    assert(this.#statements, 'A journal that can be written has its statements');
    return this.#statements;
  }

  /** Only after a refusal may events be missing; otherwise the caller has lost some. */
  #leavesHole(what: string): StoreError {
    assert(this.#refusedLast, what);
    return this.#refusedLast;
  }

  #unbelievable(trouble: string): StoreError {
    return new StoreError(
      'journal/damaged',
      `Cannot believe "${this.#path}": ${trouble}. Sessions keep running, nothing new is recorded`,
    );
  }

  #overtaken(seq: number): StoreError {
    return new StoreError(
      'journal/fenced',
      `Cannot write "${this.#path}": another daemon wrote after event ${seq}. Sessions keep running under it`,
    );
  }
}

/** Ends the whole transaction, unlike a refusal of one item: none of its rows can have a place. */
class Overtaken extends Error {
  readonly told: StoreError;

  constructor(told: StoreError) {
    super(told.message);
    this.told = told;
  }
}

function hasRows(item: WriteItem): boolean {
  return item.type === 'append' && item.rows.length > 0;
}

function staleStep({ type, task }: CoordinationStep): StoreError {
  return new StoreError(
    'journal/fenced',
    `Cannot ${type} task "${task}": its token is no longer current, somebody else owns it or it is done`,
  );
}

function isLastRow(statements: Statements, { seq, rowHash }: ChainEnd): boolean {
  const last = statements.lastRow.get();
  return last?.seq === seq && blobToHex(last.row_hash) === rowHash;
}
