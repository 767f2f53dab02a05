import { unreachable } from '../base/index.ts';
import { backupJournalFile } from './backup-journal.ts';
import { openSqlite } from './db.ts';
import { checkPages } from './examine-journal.ts';
import { toWire, type WireError } from './journal-wire.ts';
import { type RepairReport, repairJournalFile } from './repair-journal.ts';
import { StoreError, toStoreError } from './store-error.ts';
import { type JournalVerdict, verifyJournalFile } from './verify-journal.ts';

/** Work on a journal that takes long; each runs in a thread of its own, on its own connection. */
export interface JournalJobs {
  /** Answers what SQLite finds wrong with the structure of the file. */
  check: { ask: { path: string }; answer: string[] };
  verify: { ask: { path: string }; answer: JournalVerdict };
  repair: { ask: { path: string; backups: readonly string[] }; answer: RepairReport };
  backup: { ask: { path: string; to: string }; answer: null };
}

export type JournalJob = { [Role in keyof JournalJobs]: { role: Role } & JournalJobs[Role]['ask'] }[keyof JournalJobs];
type JobAnswer = JournalJobs[keyof JournalJobs]['answer'];
export type JobOutcome = { ok: true; value: JobAnswer } | { ok: false; error: WireError };

export function runJournalJob(job: JournalJob): JobOutcome {
  try {
    return { ok: true, value: run(job) };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { ok: false, error: toWire(error) };
  }
}

function run(job: JournalJob): JobAnswer {
  switch (job.role) {
    case 'check':
      return check(job.path);
    case 'verify':
      return verifyJournalFile(job.path);
    case 'repair':
      return repairJournalFile(job.path, job.backups);
    case 'backup':
      backupJournalFile(job.path, job.to);
      return null;
    default:
      return unreachable(job);
  }
}

function check(path: string): string[] {
  try {
    using db = openSqlite(path, 'read');
    return checkPages(db);
  } catch (error) {
    throw toStoreError(error, path) ?? error;
  }
}
