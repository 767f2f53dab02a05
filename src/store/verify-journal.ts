import type { JournalCondition } from '../fleet/index.ts';
import { believeClaim, believeSeat } from './claim-book.ts';
import { type Db, type OpenDb, openSqlite, type SqlRow, type Statement } from './db.ts';
import { checkDefinitions, damaged, missing } from './examine-journal.ts';
import { readHead } from './head-witness.ts';
import { readEpoch } from './meta.ts';
import { chainStart } from './row-hash.ts';
import { readSchema, schemaVersion } from './schema.ts';
import { readSnapshots } from './snapshots.ts';
import { prepareStatements, type Statements } from './statements.ts';
import { StoreError, toStoreError } from './store-error.ts';
import { type Gap, readGaps, sqliteMessage, walkRows } from './walk-rows.ts';

/** What a full check found. Numbers count what could be proven. */
export interface JournalVerdict {
  /** `lastGoodSeq` of a damaged one counts from the first event, without the help of a snapshot. */
  condition: JournalCondition;
  events: number;
  lastSeq: number;
  snapshots: number;
  claims: number;
  epoch: number;
  /** Events that an earlier repair could not save, first and last. */
  gaps: { first: number; last: number }[];
}

/** Rows proven at once while the whole chain is walked; keeps memory flat. */
const walkRowsMax = 5_000;

/**
 * Checks all of a journal: structure and indexes by SQLite, every event along the whole chain, every snapshot, claim and
 * seat, and the head witness. About 10 s per million events; changes nothing.
 */
export function verifyJournalFile(path: string, openDb: OpenDb = openSqlite): JournalVerdict {
  const head = readHead(path);
  try {
    using db = openDb(path, 'read');
    return verify(db, head);
  } catch (error) {
    const named = toStoreError(error, path);
    if (named?.code !== 'journal/damaged') throw named ?? error;
    return { ...nothingProven, condition: damaged(0, [String(error)]) };
  }
}

const nothingProven = { events: 0, lastSeq: 0, snapshots: 0, claims: 0, epoch: 0, gaps: [] };

function verify(db: Db, head: ReturnType<typeof readHead>): JournalVerdict {
  const { version, isOurs, isAsWritten } = readSchema(db);
  if (!isOurs) return { ...nothingProven, condition: damaged(0, ['it is not a journal of this program']) };
  if (version > schemaVersion && !isAsWritten) {
    const message = `The journal was written by a newer version (schema ${version}); only that one can check it`;
    return { ...nothingProven, condition: { kind: 'newer', schemaVersion: version, message } };
  }
  const troubles = isAsWritten && version !== schemaVersion ? [`its schema number ${version} is wrong`] : [];
  const attempt = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      troubles.push(error instanceof StoreError ? error.message : sqliteMessage(error));
      return otherwise;
    }
  };
  attempt(() => troubles.push(...checkDefinitions(db), ...checkIndexes(db)), 0);
  const statements = prepareStatements(db);
  const gaps = attempt(() => readGaps(statements), []);
  const chain = walkAll(statements, gaps);
  if (chain.trouble) troubles.push(chain.trouble);
  const epoch = attempt(() => readEpoch(statements), 0);
  troubles.push(...missing(chain.end, epoch, head));
  const snapshots = attempt(() => countSnapshots(statements, troubles), 0);
  if (!attempt(() => canReplay(statements, gaps), true))
    troubles.push('no snapshot holds the state after events that are gone');
  const claims = attempt(() => countClaims(statements, troubles), 0);
  const condition: JournalCondition = troubles.length > 0 ? damaged(chain.end.seq, troubles) : { kind: 'sound' };
  const lost = gaps.map(({ first, last }) => ({ first, last }));
  return { condition, events: chain.count, lastSeq: chain.end.seq, snapshots, claims, epoch, gaps: lost };
}

function checkIndexes(db: Db): string[] {
  const verdict = String(db.pragma('integrity_check(1)'));
  return verdict === 'ok' ? [] : [verdict.replaceAll('\n', ' ')];
}

function walkAll(statements: Statements, gaps: readonly Gap[]) {
  let end = chainStart;
  let count = 0;
  for (;;) {
    const walk = walkRows(statements, end, walkRowsMax, gaps);
    end = walk.end;
    count += walk.rows.length;
    if (walk.trouble !== null || walk.rows.length === 0)
      return { end: throughGap(end, gaps), count, trouble: walk.trouble };
  }
}

/** A gap may be the last thing a repaired journal knows, before its first new event. */
function throughGap(end: typeof chainStart, gaps: readonly Gap[]): typeof chainStart {
  const gap = gaps.find(({ first }) => first === end.seq + 1);
  return gap ? { seq: gap.last, rowHash: gap.rowHash } : end;
}

/** Rows before a gap are of no use for the state; only a snapshot made after it is. */
function canReplay(statements: Statements, gaps: readonly Gap[]): boolean {
  const lastGap = gaps.at(-1);
  return !lastGap || (readSnapshots(statements).next().value?.seq ?? 0) >= lastGap.last;
}

function countSnapshots(statements: Statements, troubles: string[]): number {
  const believed = [...readSnapshots(statements)].length;
  const kept = statements.snapshotSeqs.all().length;
  if (believed < kept) troubles.push(`${kept - believed} of ${kept} snapshots are damaged`);
  return believed;
}

function countClaims(statements: Statements, troubles: string[]): number {
  const claims = countBelieved(statements.claims, believeClaim);
  const copies = countBelieved(statements.claimsCopy, believeClaim);
  const seats = countBelieved(statements.seats, believeSeat);
  const seatCopies = countBelieved(statements.seatsCopy, believeSeat);
  const damagedCount = claims.damaged + copies.damaged + seats.damaged + seatCopies.damaged;
  if (damagedCount > 0) troubles.push(`${damagedCount} records of claims and seats are damaged`);
  return Math.max(claims.believed, copies.believed);
}

function countBelieved(read: Statement, believe: (row: SqlRow) => unknown): { believed: number; damaged: number } {
  const counts = { believed: 0, damaged: 0 };
  for (const row of read.each()) counts[believe(row) ? 'believed' : 'damaged'] += 1;
  return counts;
}
