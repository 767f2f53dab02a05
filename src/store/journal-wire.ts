import type { JournalCondition } from '../fleet/index.ts';
import type { CoordinationAnswer } from './claim-book.ts';
import type { SpaceNotice, WriteItem } from './journal-file.ts';
import type { EncodedRow } from './row-hash.ts';
import { StoreError, type StoreErrorCode } from './store-error.ts';

/** What the journal's worker is started with. */
export interface JournalWorkerData {
  role: 'journal';
  path: string;
  ballastBytes?: number;
  pagesCheckedBytesMax?: number;
}

/** One request of the main half. A turn carries many and is answered by one `TurnAnswer` with an outcome for each. */
export type JournalRequest =
  | WriteItem
  | { type: 'read'; afterSeq: number; limit: number }
  | { type: 'snapshot'; seq: number; state: string }
  | { type: 'distrust'; message: string }
  | { type: 'tend' }
  | { type: 'close' };

/** First message of the worker. */
export type OpeningAnswer =
  | {
      ok: true;
      condition: JournalCondition;
      snapshot: { seq: number; state: string } | null;
      rows: readonly EncodedRow[];
      lastSeq: number;
      epoch: number;
      isCheckPending: boolean;
    }
  | { ok: false; error: WireError };

/** Every message of the worker after its first; one without outcomes only brings notices. */
export interface TurnAnswer {
  outcomes: WireOutcome[] | null;
  changedPools: string[];
  notices: SpaceNotice[];
}

export type WireOutcome =
  | { ok: true; value: CoordinationAnswer | readonly EncodedRow[] }
  | { ok: false; error: WireError };

export interface WireError {
  code: StoreErrorCode;
  message: string;
  cause: string;
}

export function toWire({ code, message, cause }: StoreError): WireError {
  return { code, message, cause: cause === undefined ? '' : String(cause) };
}

export function fromWire({ code, message, cause }: WireError): StoreError {
  return new StoreError(code, message, cause === '' ? {} : { cause });
}
