import { blobToHex, hashFields, hexToBlob } from './row-hash.ts';
import type { Statements } from './statements.ts';
import { StoreError } from './store-error.ts';

/** Highest epoch of any daemon that wrote; 0 before the first. */
export function readEpoch(statements: Statements): number {
  const row = statements.meta.get('epoch');
  if (!row) return 0;
  const epoch = Number(row.value);
  if (blobToHex(row.hash) === hashFields('epoch', epoch)) return epoch;
  throw new StoreError('journal/damaged', 'Cannot believe the recorded daemon epoch: its record is damaged');
}

export function writeEpoch(statements: Statements, epoch: number): void {
  statements.writeMeta.run('epoch', epoch, hexToBlob(hashFields('epoch', epoch)));
}
