/**
 * What outlives the daemon: the journal of events with its snapshots, and the coordinator of a single host.
 * Must never decide anything about sessions, nor open the database outside the journal's own threads.
 */
export { type LocalJournal, openJournal } from './journal.ts';
export { backupJournal, repairJournal } from './journal-care.ts';
export { openLocalCoordinator } from './local-coordinator.ts';
