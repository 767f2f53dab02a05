/**
 * How an engine hands out rows: three 32-bit words per column (content, foreground, background), so that a screen of
 * 200 × 1,000 cells can be read without an object per cell. This is the engine's own layout today; another engine
 * translates into it.
 */
export const wordsPerCell = 3;

/** Word 0: code point (0 for a cell that holds none), a flag for text in `combined`, and the width in the top bits. */
export const Content = {
  codePoint: 0x1fffff,
  isCombined: 0x200000,
  /** Set when the cell holds a code point or combined text. */
  any: 0x3fffff,
  widthShift: 22,
} as const;

/** Words 1 and 2: a colour (value and kind) and, above it, flags. */
export const Color = {
  value: 0xffffff,
  kind: 0x3000000,
  both: 0x3ffffff,
  default: 0,
  /** One of the 16. */
  ansi: 0x1000000,
  /** One of the 256. */
  indexed: 0x2000000,
  rgb: 0x3000000,
} as const;

export const Foreground = {
  inverse: 0x4000000,
  bold: 0x8000000,
  underline: 0x10000000,
  blink: 0x20000000,
  invisible: 0x40000000,
  strikethrough: 0x80000000,
} as const;

export const Background = {
  italic: 0x4000000,
  dim: 0x8000000,
  /** The cell has more than fits: see `CellExtra`. */
  hasExtra: 0x10000000,
  isProtected: 0x20000000,
  overline: 0x40000000,
} as const;

/** Underline style (bits 26 to 28: 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed), its colour as above, and a link. */
export interface CellExtra {
  underline: number;
  /** 0 for none. */
  link: number;
}

export const noExtra: CellExtra = { underline: 0, link: 0 };

export const underlineStyleShift = 26;

/** What a pen writes with: words 1 and 2 of the cells it leaves, and their extra. */
export interface Pen {
  foreground: number;
  background: number;
  extra: CellExtra;
}

export const plainPen: Pen = { foreground: 0, background: 0, extra: noExtra };
