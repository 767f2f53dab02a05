import type { JournalCondition } from '../fleet/index.ts';
import type { Db } from './db.ts';
import type { Head } from './head-witness.ts';
import { readEpoch } from './meta.ts';
import { type ChainEnd, chainStart, type EncodedRow } from './row-hash.ts';
import { readSchema } from './schema.ts';
import { readSnapshots, type StoredSnapshot } from './snapshots.ts';
import { prepareStatements, type Statements } from './statements.ts';
import { StoreError } from './store-error.ts';
import { sqliteMessage, storedChainEnd, walkRows } from './walk-rows.ts';

/** What an existing journal holds, and whether it can be believed. */
export interface Findings {
  condition: JournalCondition;
  snapshot: StoredSnapshot | null;
  /** After the snapshot, oldest first, each proven. */
  rows: readonly EncodedRow[];
  /** Of the last proven row. */
  end: ChainEnd;
  /** Highest of the journal and its witness. */
  epoch: number;
}

/**
 * Reads the state back and proves it: newest believable snapshot, then every row after it along the hash chain, then the
 * head witness for rows that are missing without a trace. `pages` also has SQLite check the structure of the whole file
 * (1.3 ms per MB).
 */
export function examineJournal(db: Db, head: Head | null, pages: boolean): Findings {
  const troubles: string[] = [];
  const attempt = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      troubles.push(error instanceof StoreError ? error.message : sqliteMessage(error));
      return otherwise;
    }
  };
  attempt(() => troubles.push(...checkDefinitions(db)), 0);
  if (pages) attempt(() => troubles.push(...checkPages(db)), 0);
  const statements = prepareStatements(db);
  const epoch = attempt(() => readEpoch(statements), 0);
  const snapshot = attempt(() => readSnapshots(statements).next().value ?? null, null);
  const from = snapshot ?? chainStart;
  if (!attempt(() => isAnchored(statements, from), true))
    troubles.push(`event ${from.seq} is not the one its snapshot was made at`);
  const walk = walkRows(statements, from, -1, []);
  if (walk.trouble) troubles.push(walk.trouble);
  troubles.push(...missing(walk.end, epoch, head));
  const condition: JournalCondition = troubles.length > 0 ? damaged(walk.end.seq, troubles) : { kind: 'sound' };
  return { condition, snapshot, rows: walk.rows, end: walk.end, epoch: Math.max(epoch, head?.epoch ?? 0) };
}

/** Nothing could be read. The witness still knows the epoch below which no holder listens. */
export function nothingFound(head: Head | null, troubles: readonly string[]): Findings {
  const lost = head && head.seq > 0 ? [`events 1 to ${head.seq} cannot be read`] : [];
  return { ...empty, epoch: head?.epoch ?? 0, condition: damaged(0, [...troubles, ...lost]) };
}

/** What a journal holds before its first event. */
export const empty = { snapshot: null, rows: [], end: chainStart, epoch: 0 } as const;

export function damaged(lastGoodSeq: number, troubles: readonly string[]): JournalCondition {
  const message = `The journal is damaged: ${troubles.join('; ')}. Everything up to event ${lastGoodSeq} is sound; sessions keep running, nothing new is recorded before a repair (concert doctor --repair)`;
  return { kind: 'damaged', lastGoodSeq, message };
}

/** Whether tables and indexes are still defined as they were made. */
export function checkDefinitions(db: Db): string[] {
  return readSchema(db).isAsWritten ? [] : ['the definitions of its tables are not what was written'];
}

/**
 * What SQLite finds wrong with the structure of the file, and with the two copies of claims and seats against each other:
 * one that is missing where it is looked for has no hash to give it away.
 */
export function checkPages(db: Db): string[] {
  return ['quick_check(1)', "integrity_check('claims')", "integrity_check('seats')"].flatMap((check) => {
    const verdict = String(db.pragma(check));
    return verdict === 'ok' ? [] : [verdict.replaceAll('\n', ' ')];
  });
}

/** What the witness saw and the journal does not hold. */
export function missing(end: ChainEnd, epoch: number, head: Head | null): string[] {
  if (head === null) return [];
  if (head.seq > end.seq) return [`events ${end.seq + 1} to ${head.seq} were written and are gone`];
  return head.epoch > epoch ? [`the record of daemon epoch ${head.epoch} is gone`] : [];
}

/** New rows chain on to the snapshot's hash, so the row it was made at must still carry the same. */
function isAnchored(statements: Statements, { seq, rowHash }: ChainEnd): boolean {
  const stored = storedChainEnd(statements, seq);
  return stored?.seq === seq && stored.rowHash === rowHash;
}
