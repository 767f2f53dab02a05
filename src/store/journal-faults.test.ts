import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rows, temporaryFolder } from '../../test/support/store/fixtures.ts';
import { type Db, type OpenDb, openSqlite } from './db.ts';
import type { JournalFile, Outcome, WriteItem } from './journal-file.ts';
import { openJournalFile } from './open-journal-file.ts';
import { decodeRow, encodeRow } from './row-hash.ts';
import { StoreError } from './store-error.ts';
import { verifyJournalFile } from './verify-journal.ts';

/** What SQLite says when the disk fails: on writing, on flushing, when full. */
const codes = ['SQLITE_IOERR_WRITE', 'SQLITE_IOERR_FSYNC', 'SQLITE_FULL'] as const;

/** Whether the failing statement took effect all the same: for a commit the worst case, its answer is lost. */
const moments = ['before', 'after'] as const;

describe.each(codes)('a disk that answers %s', (code) => {
  test.each(moments)('%s any one statement loses nothing that was acknowledged', (moment) => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'journal.db');
    let statements = 1;
    for (let failing = 1; failing <= statements; failing += 1) {
      for (const suffix of ['', '.head']) removeFile(`${path}${suffix}`);
      const fault = { at: failing, count: 0, code, moment };
      const told = live(path, failingDb(fault));
      statements = Math.max(statements, fault.count);
      expect(told.refusals, `statement ${failing}`).toBeLessThanOrEqual(1);
      expectEverythingThere(path, `statement ${failing}`);
    }
    expect(statements).toBeGreaterThan(40);
  });
});
