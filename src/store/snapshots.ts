import type { SqlRow } from './db.ts';
import { blobToHex, hashFields, hexToBlob } from './row-hash.ts';
import type { Statements } from './statements.ts';
import { sqliteMessage } from './walk-rows.ts';

/** More than one, so that a damaged newest costs a longer replay and nothing else. */
export const snapshotsKept = 3;

/** The state after row `seq`, as JSON, and where the chain stood. */
export interface StoredSnapshot {
  seq: number;
  state: string;
  rowHash: string;
}

/** Inside the transaction of whoever calls. Drops what is older than the ones kept. */
export function writeSnapshot(statements: Statements, { seq, state, rowHash }: StoredSnapshot): void {
  statements.writeSnapshot.run(seq, state, hexToBlob(rowHash), hexToBlob(hashFields(seq, rowHash, state)));
  statements.dropSnapshots.run(snapshotsKept);
}

/** The snapshots that can be believed, newest first; one that cannot, or cannot even be read, is passed over. */
export function* readSnapshots(statements: Statements): Generator<StoredSnapshot, undefined> {
  for (const { seq } of statements.snapshotSeqs.all()) {
    const snapshot = typeof seq === 'number' ? readSnapshot(statements, seq) : null;
    if (snapshot) yield snapshot;
  }
}

function readSnapshot(statements: Statements, seq: number): StoredSnapshot | null {
  try {
    return believe(statements.snapshotAt.get(seq) ?? {});
  } catch (error) {
    sqliteMessage(error);
    return null;
  }
}

function believe(row: SqlRow): StoredSnapshot | null {
  const { seq, state } = row;
  const rowHash = blobToHex(row.row_hash);
  if (typeof seq !== 'number' || typeof state !== 'string') return null;
  return blobToHex(row.hash) === hashFields(seq, rowHash, state) ? { seq, state, rowHash } : null;
}
