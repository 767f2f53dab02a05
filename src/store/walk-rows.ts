import type { SqlRow } from './db.ts';
import { blobToHex, type ChainEnd, chainStart, type EncodedRow, hashRow, readEncodedRow } from './row-hash.ts';
import type { Statements } from './statements.ts';
import { errorCode } from './store-error.ts';

/** Rows that a repair could not save; `rowHash` is where the chain goes on. */
export interface Gap {
  first: number;
  last: number;
  rowHash: string;
}

/** Rows proven by the chain, up to the first that is not; `trouble` says what stopped it. */
export interface Walk {
  rows: EncodedRow[];
  end: ChainEnd;
  trouble: string | null;
  /** What SQLite threw, if that was it. */
  cause?: unknown;
}

/**
 * Rows after `from`, at most `limit` (-1 for all), each proven by its hash. Steps over `gaps`, which a reader of history
 * may and a replay may not.
 */
export function walkRows(statements: Statements, from: ChainEnd, limit: number, gaps: readonly Gap[]): Walk {
  const rows: EncodedRow[] = [];
  let end = from;
  const stop = (trouble: string | null) => ({ rows, end, trouble });
  try {
    for (const stored of statements.rowsAfter.each(from.seq, limit)) {
      const seq = Number(stored.seq);
      if (seq !== end.seq + 1) {
        const gap = gaps.find(({ first, last }) => first === end.seq + 1 && last === seq - 1);
        if (!gap) return stop(`event ${end.seq + 1} is missing`);
        end = { seq: gap.last, rowHash: gap.rowHash };
      }
      const proven = proveRow(stored, end.rowHash);
      if (proven === null) return stop(`event ${seq} is not what was written`);
      rows.push(proven.row);
      end = { seq, rowHash: proven.rowHash };
    }
  } catch (error) {
    return { ...stop(`event ${end.seq + 1} cannot be read (${sqliteMessage(error)})`), cause: error };
  }
  return stop(null);
}

/** The row and its hash when it follows `before`, else null. */
export function proveRow(stored: SqlRow, before: string): { row: EncodedRow; rowHash: string } | null {
  const row = readEncodedRow(stored);
  if (row === null) return null;
  const rowHash = hashRow(before, row);
  return blobToHex(stored.row_hash) === rowHash ? { row, rowHash } : null;
}

/** Where the chain stands after row `seq`, as stored: proven only by the rows that follow. Inside a gap it is the gap's end. Null when there is no such row. */
export function storedChainEnd(statements: Statements, seq: number): ChainEnd | null {
  if (seq === 0) return chainStart;
  const row = statements.rowAt.get(seq);
  if (row) return { seq, rowHash: blobToHex(row.row_hash) };
  const gap = readGaps(statements).find(({ first, last }) => first <= seq && seq <= last);
  return gap ? { seq: gap.last, rowHash: gap.rowHash } : null;
}

export function readGaps(statements: Statements): Gap[] {
  return statements.gaps
    .all()
    .map((row) => ({ first: Number(row.first_seq), last: Number(row.last_seq), rowHash: blobToHex(row.row_hash) }));
}

/** What SQLite said against the file. A full disk or a lock says nothing about it; they go on, as does all else. */
export function sqliteMessage(error: unknown): string {
  const code = errorCode(error);
  const isAboutFile = code.startsWith('SQLITE_') && !/^SQLITE_(FULL|BUSY|LOCKED)/.test(code);
  if (error instanceof Error && isAboutFile) return error.message;
  throw error;
}
