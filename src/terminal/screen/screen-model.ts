import type { ScreenEvent } from './screen-events.ts';
import type { ScreenLook } from './screen-queries.ts';

/** A screen as bytes: fed to a fresh terminal of this size, then followed by the output from `offset` on, they equal having seen it all. */
export interface Checkpoint {
  offset: number;
  columns: number;
  rows: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** An answer to a terminal query, for the program. `queryOffset` is the offset after the query. */
export interface ScreenAnswer {
  queryOffset: number;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface ScreenText {
  offset: number;
  columns: number;
  rows: number;
  /** The viewport, top row first, without trailing blanks. As the program wrote it: sanitize before showing elsewhere. */
  lines: string[];
  cursor: { column: number; row: number; isHidden: boolean };
  isAlternate: boolean;
  title: string;
}

/** A stretch of the normal buffer. Row numbers count from the first row the screen ever had and stay while it lives. */
export interface ScreenPage {
  offset: number;
  /** Number of the first row in `lines`. */
  first: number;
  /** Rows there are: from `oldest` up to but not including `end`. */
  oldest: number;
  end: number;
  lines: string[];
}

/** Where an attach begins: the viewport and this many rows above it (design.md section 4). */
export const checkpointRowsMax = 1000;

/**
 * The screen of one session: what a terminal that saw all its output would show and know.
 *
 * `write` parses at once; events and answers are given to the listeners before it returns. The same bytes always make
 * the same screen, however they are cut. Nothing here is answered or told twice unless it is written twice: a caller
 * that replays compares offsets.
 */
export interface ScreenModel extends Disposable {
  readonly columns: number;
  readonly rows: number;
  /** Offset after the last byte written. */
  readonly offset: number;
  /** `endOffset` is the offset after the last of `bytes`. Throws when the engine fails; the model is then of no more use. */
  write(bytes: Uint8Array, endOffset: number): void;
  resize(columns: number, rows: number): void;
  /** At most `rowsMax` rows above the viewport; 0 for the viewport alone. */
  checkpoint(rowsMax?: number): Checkpoint;
  text(): ScreenText;
  /** `count` rows before row `before` (default: the end). */
  page(count: number, before?: number): ScreenPage;
  setLook(look: ScreenLook): void;
  /** Sequences dropped for their length so far. */
  readonly oversized: number;
}

export interface ScreenListeners {
  event(event: ScreenEvent): void;
  answer(answer: ScreenAnswer): void;
}
