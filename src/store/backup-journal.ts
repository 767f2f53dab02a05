import { openSqlite } from './db.ts';
import { copyInto } from './schema.ts';
import { toStoreError } from './store-error.ts';

/**
 * Writes a compact copy of everything committed to `to`, which appears there only when it is whole and on disk; an older
 * copy of that name is replaced. May run beside the daemon that writes.
 */
export function backupJournalFile(path: string, to: string): void {
  try {
    const db = openSqlite(path, 'read');
    try {
      copyInto(db, to);
    } finally {
      db[Symbol.dispose]();
    }
  } catch (error) {
    throw toStoreError(error, to) ?? error;
  }
}
