import { Worker } from 'node:worker_threads';
import { AssertionError } from '../base/index.ts';
import type { JobOutcome, JournalJob, JournalJobs } from './journal-jobs.ts';
import { fromWire } from './journal-wire.ts';
import type { RepairReport } from './repair-journal.ts';
import type { JournalVerdict } from './verify-journal.ts';

export interface JournalPlace {
  path: string;
  /** The file of `journal-worker`: `.ts` from source, `.js` in the bundle. */
  workerEntry: URL;
}

/** Checks all of a journal, for `concert doctor`; see `verifyJournalFile`. Changes nothing; may run beside the daemon that writes. */
export function verifyJournal({ path, workerEntry }: JournalPlace): Promise<JournalVerdict> {
  return runJob(workerEntry, { role: 'verify', path });
}

/** Makes a sound journal of what can be proven, for `concert doctor --repair`; see `repairJournalFile`. No daemon may have it open. */
export function repairJournal({
  path,
  workerEntry,
  backups = [],
}: JournalPlace & { backups?: readonly string[] }): Promise<RepairReport> {
  return runJob(workerEntry, { role: 'repair', path, backups });
}

/** Copies a journal, hourly and before an upgrade; see `backupJournalFile`. May run beside the daemon that writes and does not hold it up. */
export async function backupJournal({ path, workerEntry, to }: JournalPlace & { to: string }): Promise<void> {
  await runJob(workerEntry, { role: 'backup', path, to });
}

/** What SQLite finds wrong with the structure of the file; empty when nothing, or when the signal ended it early. */
export function checkJournalPages(place: JournalPlace & { signal: AbortSignal }): Promise<string[]> {
  const { path, workerEntry, signal } = place;
  return runJob(workerEntry, { role: 'check', path }, { signal, answer: [] });
}

function runJob<Role extends keyof JournalJobs>(
  workerEntry: URL,
  job: JournalJob & { role: Role },
  ending?: { signal: AbortSignal; answer: JournalJobs[Role]['answer'] },
): Promise<JournalJobs[Role]['answer']> {
  const worker = new Worker(workerEntry, { workerData: job });
  return new Promise((resolve, reject) => {
    ending?.signal.addEventListener('abort', () => resolve(worker.terminate().then(() => ending.answer)), {
      once: true,
    });
    worker.once('message', (outcome: JobOutcome) => {
      if (outcome.ok) resolve(outcome.value as JournalJobs[Role]['answer']);
      else reject(fromWire(outcome.error));
    });
    worker.once('error', reject);
    worker.once('exit', () =>
      reject(new AssertionError(`The journal worker ended without an answer to "${job.role}"`)),
    );
  });
}
