import { copyFileSync, existsSync, linkSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { assert } from '../base/index.ts';
import { type ClaimRow, type SeatRow, writeClaim, writeSeat } from './claim-book.ts';
import { type Db, openSqlite } from './db.ts';
import { examineJournal } from './examine-journal.ts';
import { HeadWitness, readHead } from './head-witness.ts';
import { removeDatabase } from './heal-first-page.ts';
import { writeEpoch } from './meta.ts';
import { type ChainEnd, chainStart, type EncodedRow, hexToBlob } from './row-hash.ts';
import { SalvageSource } from './salvage-source.ts';
import { migrate } from './schema.ts';
import { type StoredSnapshot, snapshotsKept, writeSnapshot } from './snapshots.ts';
import { prepareStatements, type Statements } from './statements.ts';
import { errorCode, StoreError, toStoreError } from './store-error.ts';
import { syncFolderOf } from './sync-file.ts';
import { verifyJournalFile } from './verify-journal.ts';
import { type Gap, storedChainEnd } from './walk-rows.ts';

export interface RepairReport {
  /** False when the journal was sound: nothing was touched. */
  isChanged: boolean;
  lastSeq: number;
  /** Events saved, and how many of them came from another file than the journal itself. */
  events: number;
  eventsFromCopies: number;
  /** Events that no file could give. The state is sound all the same: it goes on from a snapshot made after them. */
  gaps: { first: number; last: number }[];
  /** Tasks and seats whose owner could be proven. */
  claims: number;
  /** Where the damaged file was kept, or null when there was none. */
  keptAt: string | null;
}

/** Rows written to the new journal in one transaction. */
const rowsPerTransaction = 5_000;

/**
 * Makes a sound journal of everything that can be proven: from the damaged file, from what earlier repairs kept beside it
 * and from `backups`, each event taken wherever it follows the one before. The damaged file is kept as
 * `<path>.damaged-<n>`. The caller holds the home: no daemon may have this journal open. Killed at any moment it has
 * either happened or can be run again. Throws a `StoreError` when nothing can be saved or there is no room to write.
 */
export function repairJournalFile(path: string, backups: readonly string[] = []): RepairReport {
  try {
    const sound = checkNeed(path);
    if (sound) return sound;
    const draft = `${path}.repairing`;
    removeDatabase(draft);
    const { head, ...saved } = salvageInto(draft, path, backups);
    const keptAt = putInPlace(draft, path);
    using witness = HeadWitness.open(path);
    witness.write(head);
    return { isChanged: true, ...saved, keptAt };
  } catch (error) {
    throw toStoreError(error, path) ?? error;
  }
}

/** The report of a journal that needs no repair, or null. */
function checkNeed(path: string): RepairReport | null {
  if (sizeOf(path) === 0) return null;
  const { condition, events, lastSeq, claims, gaps } = verifyJournalFile(path);
  if (condition.kind === 'newer') throw new StoreError('journal/newer', condition.message);
  if (condition.kind !== 'sound') return null;
  return { isChanged: false, lastSeq, events, eventsFromCopies: 0, gaps, claims, keptAt: null };
}

/** Writes the new journal under its working name, from everything that proves itself. */
function salvageInto(draft: string, path: string, backups: readonly string[]) {
  const paths = sourcePaths(path, backups);
  const sources = paths
    .map((source, at) => SalvageSource.open(source, healedName(path, at)))
    .filter((source) => source !== null);
  const db = openSqlite(draft, 'create');
  try {
    migrate(db, draft);
    const salvage = new Salvage(db, sources);
    salvage.saveEvents();
    if (salvage.end.seq === 0)
      throw new StoreError(
        'journal/damaged',
        `Cannot repair "${path}": nothing in it can be read, nor in a copy of it`,
      );
    salvage.saveSnapshots();
    const claims = salvage.saveClaims();
    salvage.saveEpoch(readHead(path)?.epoch ?? 0);
    const { condition } = examineJournal(db, null, true);
    if (condition.kind === 'damaged')
      throw new StoreError('journal/damaged', `Cannot repair "${path}": ${condition.message}`);
    db.pragma('wal_checkpoint(TRUNCATE)');
    const { end, events, eventsFromCopies, gaps, epoch } = salvage;
    return { lastSeq: end.seq, events, eventsFromCopies, gaps, claims, head: { ...end, epoch } };
  } finally {
    db[Symbol.dispose]();
    for (const source of sources) source[Symbol.dispose]();
    for (const at of paths.keys()) removeDatabase(healedName(path, at));
  }
}

class Salvage {
  readonly #db: Db;
  readonly #statements: Statements;
  readonly #sources: readonly SalvageSource[];
  end: ChainEnd = chainStart;
  events = 0;
  eventsFromCopies = 0;
  gaps: { first: number; last: number }[] = [];
  epoch = 0;

  constructor(db: Db, sources: readonly SalvageSource[]) {
    this.#db = db;
    this.#statements = prepareStatements(db);
    this.#sources = sources;
  }

  saveEvents(): void {
    let hasMore = true;
    while (hasMore) hasMore = this.#inTransaction(() => this.#saveSome());
  }

  /** The newest that belong to the chain just written. */
  saveSnapshots(): void {
    const kept = this.#snapshots().filter(({ seq, rowHash }) => {
      const stored = storedChainEnd(this.#statements, seq);
      return stored?.seq === seq && stored.rowHash === rowHash;
    });
    this.#inTransaction(() => {
      for (const snapshot of kept.slice(-snapshotsKept)) writeSnapshot(this.#statements, snapshot);
    });
  }

  /** The record with the highest token counts: tokens never go back. */
  saveClaims(): number {
    const claims = new Map<string, ClaimRow>();
    const seats = new Map<string, SeatRow>();
    for (const source of this.#sources) {
      for (const claim of source.claims)
        if (claim.token > (claims.get(claim.task)?.token ?? -1)) claims.set(claim.task, claim);
      for (const seat of source.seats) if (seat.token > (seats.get(seat.name)?.token ?? -1)) seats.set(seat.name, seat);
    }
    this.#inTransaction(() => {
      for (const claim of claims.values()) writeClaim(this.#statements, claim);
      for (const seat of seats.values()) writeSeat(this.#statements, seat);
    });
    return claims.size;
  }

  saveEpoch(witnessed: number): void {
    this.epoch = Math.max(this.epoch, witnessed, ...this.#sources.map(({ epoch }) => epoch));
    this.#inTransaction(() => writeEpoch(this.#statements, this.epoch));
  }

  #saveSome(): boolean {
    for (let count = 0; count < rowsPerTransaction; count += 1) {
      if (!this.#saveNext()) return false;
    }
    return true;
  }

  #saveNext(): boolean {
    for (const [at, source] of this.#sources.entries()) {
      const next = source.rowAfter(this.end);
      if (next === null) continue;
      this.#saveEvent(next.row, next.rowHash);
      if (at > 0) this.eventsFromCopies += 1;
      return true;
    }
    const gap = this.#nextGap();
    if (gap !== null) this.#saveGap(gap);
    return gap !== null;
  }

  #saveEvent(row: EncodedRow, rowHash: string): void {
    const { seq, at, host, type, subject, data } = row;
    this.#statements.insertRow.run(seq, at, host, type, subject, data, hexToBlob(rowHash));
    this.end = { seq, rowHash };
    this.events += 1;
    if (type === 'daemon.started') this.epoch = Math.max(this.epoch, Number(JSON.parse(data).epoch) || 0);
  }

  /** Gaps that touch are one. */
  #saveGap({ first, last, rowHash }: Gap): void {
    const begin = this.gaps.at(-1)?.last === first - 1 ? (this.gaps.pop()?.first ?? first) : first;
    this.#statements.writeGap.run(begin, last, hexToBlob(rowHash));
    this.gaps.push({ first: begin, last });
    this.end = { seq: last, rowHash };
  }

  /**
   * The shortest way over what is lost, if a later snapshot holds the state: to where an earlier repair went on, or back from
   * the snapshot, whose hash proves the rows before it one by one.
   */
  #nextGap(): Gap | null {
    const first = this.end.seq + 1;
    const anchor = this.#snapshots().find(({ seq }) => seq >= first);
    if (!anchor) return null;
    const known = this.#sources
      .flatMap(({ gaps }) => gaps)
      .find((gap) => gap.first === first && gap.last <= anchor.seq);
    const { seq: last, rowHash } = this.#startBefore(anchor, first);
    return known && known.last <= last ? known : { first, last, rowHash };
  }

  /** The earliest point, not before `first`, from which an unbroken chain leads to `anchor`. */
  #startBefore(anchor: ChainEnd, first: number): ChainEnd {
    let start = anchor;
    while (start.seq > first) {
      const before = this.#endBefore(start);
      if (before === null || before.seq < first) break;
      start = before;
    }
    return start;
  }

  #endBefore(end: ChainEnd): ChainEnd | null {
    for (const source of this.#sources) {
      const before = source.endBefore(end);
      if (before?.seq === end.seq - 1) return before;
    }
    return null;
  }

  /** Of all sources, oldest first. */
  #snapshots(): StoredSnapshot[] {
    return this.#sources.flatMap(({ snapshots }) => snapshots).sort((one, other) => one.seq - other.seq);
  }

  #inTransaction<T>(write: () => T): T {
    this.#statements.begin.run();
    try {
      const value = write();
      this.#statements.commit.run();
      return value;
    } catch (error) {
      if (this.#db.isInTransaction) this.#statements.rollback.run();
      throw error;
    }
  }
}

/**
 * The draft becomes the journal in one rename. Before it the damaged file gets a second name and its log moves there: a
 * log of the old file beside the new one would be played into it. A crash in between leaves the old journal, and its
 * log where the next repair looks for it.
 */
function putInPlace(draft: string, path: string): string | null {
  assert(!existsSync(`${draft}-wal`), 'A closed database leaves no log');
  const keptAt = sizeOf(path) > 0 ? unusedName(path) : null;
  if (keptAt !== null) linkOrCopy(path, keptAt);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${keptAt ?? unusedName(path)}-wal`);
  rmSync(`${path}-shm`, { force: true });
  syncFolderOf(path);
  renameSync(draft, path);
  syncFolderOf(path);
  return keptAt;
}

/** A repair that was cut short leaves the journal under two names; then the one that has the log counts. */
function sourcePaths(path: string, backups: readonly string[]): string[] {
  const copies = damagedCopies(path);
  const isTwice = copies.some((copy) => statSync(copy).ino === statSync(path, { throwIfNoEntry: false })?.ino);
  return isTwice ? [...copies, ...backups] : [path, ...copies, ...backups];
}

/** What earlier repairs kept, newest first. */
function damagedCopies(path: string): string[] {
  const prefix = `${basename(path)}.damaged-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .sort((one, other) => Number(other.slice(prefix.length)) - Number(one.slice(prefix.length)))
    .map((name) => join(dirname(path), name));
}

function unusedName(path: string): string {
  let n = 1;
  while (existsSync(`${path}.damaged-${n}`) || existsSync(`${path}.damaged-${n}-wal`)) n += 1;
  return `${path}.damaged-${n}`;
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(errorCode(error))) throw error;
    copyFileSync(from, to);
  }
}

function healedName(path: string, at: number): string {
  return `${path}.healed-${at}`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
