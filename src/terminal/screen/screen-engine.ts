import type { CellExtra, Pen } from './screen-cells.ts';

/** One row of a buffer. Valid until the engine is written to or resized. */
export interface ScreenRow {
  /** `wordsPerCell` words per column; see `screen-cells.ts`. */
  cells: Uint32Array;
  /** Whether it continues the row above: the program ran over the right edge. */
  isWrapped: boolean;
  combined(column: number): string;
  extra(column: number): CellExtra;
}

/** What DECSC kept. `row` counts from the first row of the buffer, scrollback included. */
export interface SavedCursor {
  column: number;
  row: number;
  foreground: number;
  background: number;
  charsets: readonly (string | undefined)[];
  activeCharset: number;
  isOrigin: boolean;
  isWraparound: boolean;
}

export interface ScreenBuffer {
  /** Rows above the viewport. */
  base: number;
  /** All rows, scrollback included. */
  length: number;
  /** Column of the cursor; the width of the screen when the next character will wrap. */
  x: number;
  /** Row of the cursor in the viewport. */
  y: number;
  scrollTop: number;
  scrollBottom: number;
  /** Columns with a tab stop, ascending. */
  tabStops: readonly number[];
  saved: SavedCursor;
  row(index: number): ScreenRow;
}

export type MouseProtocol = 'none' | 'x10' | 'vt200' | 'drag' | 'any';
export type MouseEncoding = 'default' | 'sgr' | 'sgr-pixels';

export interface ScreenModes {
  applicationCursorKeys: boolean;
  applicationKeypad: boolean;
  bracketedPaste: boolean;
  colorSchemeUpdates: boolean;
  insert: boolean;
  /** LNM: a line feed also returns the carriage. */
  newLine: boolean;
  origin: boolean;
  reverseWraparound: boolean;
  sendFocus: boolean;
  synchronizedOutput: boolean;
  wraparound: boolean;
  cursorHidden: boolean;
  /** Undefined while the program has not chosen. */
  cursorStyle: 'block' | 'underline' | 'bar' | undefined;
  cursorBlink: boolean | undefined;
  mouseProtocol: MouseProtocol;
  mouseEncoding: MouseEncoding;
}

/** The keyboard protocol of kitty: flags in force, those of either screen while the other is shown, and the stacks. */
export interface KeyboardFlags {
  flags: number;
  normalFlags: number;
  alternateFlags: number;
  normalStack: readonly number[];
  alternateStack: readonly number[];
}

/** Everything an engine keeps apart from cells. A copy. */
export interface EngineState {
  isAlternate: boolean;
  pen: Pen;
  /**
   * Width of the character that a combining character or REP coming now would join or repeat, 0 when the last thing
   * was no character.
   */
  lastCharacterWidth: number;
  /** Designations of G0 to G3 by their final byte; undefined is ASCII. As long as was ever designated. */
  charsets: readonly (string | undefined)[];
  activeCharset: number;
  modes: ScreenModes;
  keyboard: KeyboardFlags;
}

export interface Link {
  /** The program's own, which ties the parts of one link together. */
  id: string | undefined;
  uri: string;
}

/**
 * A terminal emulator behind our `ScreenModel`: cells, cursor, modes. It only ever sees text and whole escape and
 * control sequences, answers nothing, and runs no timers that matter. Strings (titles, links, palette) are read in
 * front of it.
 */
export interface ScreenEngine extends Disposable {
  readonly columns: number;
  readonly rows: number;
  write(bytes: Uint8Array): void;
  resize(columns: number, rows: number): void;
  /** What the pen links to from now on; undefined ends the link. */
  setLink(link: Link | undefined): void;
  /** Undefined for 0 and for links that are gone. */
  link(id: number): Link | undefined;
  state(): EngineState;
  normal(): ScreenBuffer;
  alternate(): ScreenBuffer;
  /** Rows of the normal buffer that have gone for good since the engine began. */
  readonly rowsDropped: number;
}
