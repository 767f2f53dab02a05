/**
 * What outlives the daemon: the journal of events with its snapshots, and the coordinator of a single host.
 * Must never decide anything about sessions, nor open the database outside the journal's own threads.
 */
export { blobBytesMax } from './blob-folder.ts';
export { type ContractHost, coordinatorContract } from './coordinator-contract.ts';
export { congestedBytes, type JournalOptions, type LocalJournal, type OpenedStore, openJournal } from './journal.ts';
export { backupJournal, type JournalPlace, repairJournal, verifyJournal } from './journal-care.ts';
export type { SpaceNotice } from './journal-file.ts';
export { RpcError } from './local-bus.ts';
export { type LocalCoordinatorOptions, openLocalCoordinator } from './local-coordinator.ts';
export type { RepairReport } from './repair-journal.ts';
export { StoreError, type StoreErrorCode } from './store-error.ts';
export type { JournalVerdict } from './verify-journal.ts';
