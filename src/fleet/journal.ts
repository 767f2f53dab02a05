import type { FleetEvent } from './events.ts';

/** An event as the journal keeps it. `seq` counts from 1 without holes, save those that a repair had to leave. */
export interface JournalRow {
  seq: number;
  /** Whole ms since the epoch, as the input that caused it carried it. */
  at: number;
  host: string;
  event: FleetEvent;
}

/** What one turn of the loop wants durable, all or nothing. */
export interface JournalBatch {
  /** Epoch of the daemon that writes; a journal that has seen a higher one refuses the batch as fenced. */
  epoch: number;
  rows: readonly JournalRow[];
  /** Claims on tasks, in the same transaction as the rows that tell of them. */
  steps: readonly CoordinationStep[];
}

/**
 * A change of who may work on what. Tokens fence: a claim must raise the task's token, every other step must name its
 * present owner and token; else the step is refused and with it the whole batch. A token grows by one with each new
 * incarnation or take-over, never with time (a closed lid must not fork work). Done is final.
 */
export type CoordinationStep =
  | { type: 'enqueue'; task: string; pool: string }
  | { type: 'claim'; task: string; owner: string; token: number }
  | { type: 'renew'; task: string; owner: string; token: number }
  | { type: 'release'; task: string; owner: string; token: number }
  | { type: 'commit'; task: string; owner: string; token: number };

/**
 * The durable log of one host. `append` resolves after the batch is on disk (one fsync may cover many batches) and in
 * call order; nothing may be acknowledged, sent or shown before that. When a batch is refused, those appended after it are
 * refused with it; when that was for want of disk, the same batches may be appended again, in the same order.
 */
export interface Journal extends AsyncDisposable {
  append(batch: JournalBatch): Promise<void>;
  /** Rows after `seq`, oldest first, at most `limit`; fewer when the journal bounds it or the next cannot be believed. */
  read(afterSeq: number, limit: number): Promise<JournalRow[]>;
  /** The state after row `seq`, as JSON; the last few are kept. Old rows stay (they are the history). */
  writeSnapshot(seq: number, state: string): Promise<void>;
}

/** What opening the journal found. One that is not sound refuses every append. */
export interface OpenedJournal {
  journal: Journal;
  snapshot: { seq: number; state: string } | null;
  /** After the snapshot. */
  rows: JournalRow[];
  /** Highest epoch ever written. */
  epoch: number;
  condition: JournalCondition;
}

export type JournalCondition =
  | { kind: 'sound' }
  /** Everything up to `lastGoodSeq` is sound; what follows is not believed. */
  | { kind: 'damaged'; lastGoodSeq: number; message: string }
  | { kind: 'newer'; schemaVersion: number; message: string }
  | { kind: 'read-only'; message: string };
