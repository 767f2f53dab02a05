import type { ByteWriter } from './byte-writer.ts';
import {
  Background,
  type CellExtra,
  Color,
  Content,
  Foreground,
  noExtra,
  type Pen,
  underlineStyleShift,
  wordsPerCell,
} from './screen-cells.ts';
import type { Link, ScreenBuffer, ScreenRow } from './screen-engine.ts';

export interface ScreenPainterOptions {
  out: ByteWriter;
  columns: number;
  rows: number;
  link(id: number): Link | undefined;
}

/** A pen as SGR can say it: colours and flags, underline apart. */
interface SaidPen {
  foreground: number;
  background: number;
  underlineStyle: number;
  underlineColor: number;
  link: number;
}

const said: SaidPen = { foreground: 0, background: 0, underlineStyle: 0, underlineColor: 0, link: 0 };

/** What `SGR 59` leaves in the engine's cells, though it means "as the text". */
const underlineColorReset = Color.rgb | Color.value;

const foregroundFlags = [
  [Foreground.bold, 1],
  [Foreground.blink, 5],
  [Foreground.inverse, 7],
  [Foreground.invisible, 8],
  [Foreground.strikethrough, 9],
] as const;
const backgroundFlags = [
  [Background.dim, 2],
  [Background.italic, 3],
  [Background.overline, 53],
] as const;

/** Any character two columns wide. */
const wide = 0x6f22;
const space = 0x20;

/**
 * Writes the bytes that paint rows on a terminal, and knows what that terminal's cursor and pen are meanwhile. It
 * starts on a fresh terminal of the same size, and needs autowrap on, origin and insert modes off, the full scroll
 * region and ASCII; the caller changes those before or after.
 */
export class ScreenPainter {
  readonly #out: ByteWriter;
  readonly #columns: number;
  readonly #rows: number;
  readonly #link: ScreenPainterOptions['link'];
  /** Equal to the number of columns while the next character would wrap. */
  #x = 0;
  #y = 0;
  #pen: SaidPen = { ...said };
  /** Words of the last cell painted without extra: while they stay, so does the pen. */
  #foreground = 0;
  #background = 0;
  /** The next character goes to the start of the next row by wrapping. */
  #isWrapDue = false;

  constructor({ out, columns, rows, link }: ScreenPainterOptions) {
    this.#out = out;
    this.#columns = columns;
    this.#rows = rows;
    this.#link = link;
  }

  get x(): number {
    return this.#x;
  }

  /** Paints rows `first` and on, scrolling as they need. `painted` runs after each with the row it has in the viewport. */
  paint(buffer: ScreenBuffer, first: number, painted?: (row: number, y: number) => void): void {
    const end = this.#lastRow(buffer, first) + 1;
    this.moveTo(0, 0);
    if (buffer.row(first).isWrapped && this.#rows > 1) this.#wrapFirstRow();
    let above: ScreenRow | undefined;
    for (let i = first; i < end; i++) {
      const row = buffer.row(i);
      let blank = 0;
      if (above !== undefined) {
        if (row.isWrapped) blank = this.#wrap(above, row);
        else this.#newLine();
      }
      this.#paintRow(row, blank);
      painted?.(i, this.#y);
      above = row;
    }
    this.#resetPen();
  }

  moveTo(x: number, y: number): void {
    if (x === this.#x && y === this.#y) return;
    this.#out.ascii('\x1b[');
    if (y === this.#y) {
      this.#out.decimal(x + 1);
      this.#out.byte(0x47);
    } else {
      this.#out.decimal(y + 1);
      if (x > 0) {
        this.#out.byte(0x3b);
        this.#out.decimal(x + 1);
      }
      this.#out.byte(0x48);
    }
    this.#x = x;
    this.#y = y;
  }

  /** Tells where the cursor is after bytes the painter did not write. */
  placed(x: number, y: number): void {
    this.#x = x;
    this.#y = y;
  }

  setPen(pen: Pen): void {
    const hasExtra = (pen.background & Background.hasExtra) !== 0;
    this.#say(sayable(pen.foreground, pen.background, hasExtra ? pen.extra : noExtra));
  }

  /** As `setPen`, for a pen whose underline colour no underline shows yet. */
  setPenWithUnderlineColor(pen: Pen): void {
    const target = sayable(pen.foreground, pen.background, pen.extra);
    target.underlineColor = pen.extra.underline & Color.both;
    this.#say(target);
  }

  /** Tells what the pen is after bytes the painter did not write. */
  penIs(pen: Pen): void {
    this.#pen = sayable(pen.foreground, pen.background, pen.extra);
    this.#forgetWords();
  }

  /** Writes the text of a cell at the cursor with its own pen. */
  printCell(row: ScreenRow, column: number): void {
    this.#setCellPen(row, column);
    this.#printText(row, column);
  }

  /** As `printCell`, with whatever pen there is. */
  printAsIs(row: ScreenRow, column: number): void {
    this.#printText(row, column);
  }

  /** From the last column, where the cursor is, prints what stands there. Returns whether anything does. */
  printLastCell(row: ScreenRow): boolean {
    const column = this.#columns - 1;
    if (isLeadOf(row, column)) {
      this.printLead(row);
      if (!hasContent(row, column)) return isSecondHalf(row, column);
      this.#printOverEdge(row, column);
      return true;
    }
    if (!hasContent(row, column)) return false;
    this.printCell(row, column);
    return true;
  }

  /** From the last column, where the cursor is, prints the wide character before it again. */
  printLead(row: ScreenRow): void {
    // A backspace, since in origin mode a move within the row is read differently by different terminals.
    this.#out.byte(0x08);
    this.#x = this.#columns - 2;
    this.printCell(row, this.#columns - 2);
  }

  /** Paints one cell at the cursor, whatever is in it. */
  repaint(row: ScreenRow, column: number): void {
    if (hasContent(row, column)) this.printCell(row, column);
    else if (isErased(row.cells, column)) this.#erase(column, 1, row.cells[column * wordsPerCell + 2] as number);
    else this.#paintOdd(row, column);
  }

  #lastRow(buffer: ScreenBuffer, first: number): number {
    let last = buffer.length - 1;
    if (buffer.length - first > this.#rows) return last;
    while (last > first && isUntouched(buffer.row(last))) last--;
    return last;
  }

  /** The first row goes on from one that is not painted: such a one is put above it and deleted. */
  #wrapFirstRow(): void {
    this.moveTo(this.#columns - 1, 0);
    this.#out.ascii('  \x1b[H\x1b[M\x1b[X');
    this.placed(0, 0);
  }

  #newLine(): void {
    // The row that scrolls in is filled with the pen's background.
    if ((this.#pen.background & Color.both) !== 0) this.#resetPen();
    this.#out.ascii('\r\n');
    this.#x = 0;
    this.#y = Math.min(this.#y + 1, this.#rows - 1);
  }

  /**
   * Gets to the start of a wrapped row by running over the edge of the one above, which is what marks it wrapped.
   * Returns the background its cells have before anything is painted.
   */
  #wrap(above: ScreenRow, row: ScreenRow): number {
    const lastColumn = this.#columns - 1;
    const firstWords = [row.cells[1], row.cells[2]];
    const startsWide = widthAt(row, 0) === 2 && hasContent(row, 0);
    const isScrolling = this.#y === this.#rows - 1;
    let isRepairDue = false;
    if (this.#x !== this.#columns) {
      const lastCell = lastColumn * wordsPerCell;
      const isSamePen = above.cells[lastCell + 1] === firstWords[0] && above.cells[lastCell + 2] === firstWords[1];
      if (startsWide && isSamePen && !hasContent(above, lastColumn) && widthAt(above, lastColumn) === 1) {
        this.moveTo(lastColumn, this.#y);
        this.#isWrapDue = true;
        return isScrolling ? (row.cells[2] as number) & Color.both : 0;
      }
      this.moveTo(lastColumn, this.#y);
      if (!this.printLastCell(above)) {
        this.#resetPen();
        this.moveTo(lastColumn, this.#y);
        this.#put(space);
        isRepairDue = true;
      }
    }
    if (!isRepairDue && hasContent(row, 0) && widthAt(row, 0) > 0) {
      this.#isWrapDue = true;
      return isScrolling ? (row.cells[2] as number) & Color.both : 0;
    }
    this.#resetPen();
    this.#put(space);
    const y = Math.min(this.#y + 1, this.#rows - 1);
    this.placed(1, y);
    if (isRepairDue && y > 0) {
      this.moveTo(lastColumn, y - 1);
      this.repaint(above, lastColumn);
      this.moveTo(0, y);
      this.#resetPen();
    }
    this.moveTo(0, y);
    this.#out.ascii('\x1b[X');
    return 0;
  }

  #paintRow(row: ScreenRow, blank: number): void {
    const { cells } = row;
    const columns = this.#columns;
    let odd: number[] | undefined;
    let column = 0;
    while (column < columns) {
      const at = column * wordsPerCell;
      const content = cells[at] as number;
      if ((content & Content.any) === 0) {
        if (content >>> Content.widthShift === 0) {
          this.#paintStray(row, column++);
          continue;
        }
        const end = this.#endOfRun(cells, column);
        if (isErased(cells, column)) {
          if (cells[at + 2] !== blank) this.#erase(column, end - column, cells[at + 2] as number);
        } else {
          odd ??= [];
          for (let c = column; c < end; c++) odd.push(c);
        }
        column = end;
        continue;
      }
      const width = content >>> Content.widthShift;
      this.#setCellPen(row, column);
      if (!this.#isWrapDue && (this.#x !== column || width === 0)) this.#goTo(column);
      if (width === 2 && column === columns - 2 && widthAt(row, column + 1) > 0) {
        this.#printText(row, column);
        this.#printOverEdge(row, column + 1);
        break;
      }
      this.#printText(row, column);
      column += width || 1;
    }
    for (const c of odd?.reverse() ?? []) this.#paintOdd(row, c);
  }

  /** Moves within the row even if the cursor is there: a mark printed after a move joins nothing. */
  #goTo(column: number): void {
    this.#x = -1;
    this.moveTo(column, this.#y);
  }

  #endOfRun(cells: Uint32Array, start: number): number {
    const at = start * wordsPerCell;
    let end = start + 1;
    for (let i = at + wordsPerCell; end < this.#columns; i += wordsPerCell, end++)
      if (cells[i] !== cells[at] || cells[i + 1] !== cells[at + 1] || cells[i + 2] !== cells[at + 2]) break;
    return end;
  }

  #erase(column: number, count: number, background: number): void {
    this.#say({ ...said, background: background & Color.both });
    this.moveTo(column, this.#y);
    this.#out.ascii('\x1b[');
    if (count > 1) this.#out.decimal(count);
    this.#out.byte(0x58);
  }

  /**
   * With autowrap off, a program at the edge can overwrite the second half of a wide character and leave the first;
   * with another wide character, which finds no room, it only clears it.
   */
  #printOverEdge(row: ScreenRow, column: number): void {
    this.#out.ascii('\x1b[?7l');
    this.#setCellPen(row, column);
    if (hasContent(row, column)) this.#printText(row, column);
    else {
      this.#out.codePoint(wide);
      this.#x = column;
    }
    this.#out.ascii('\x1b[?7h');
  }

  /**
   * A second half without its first, which inserting before it leaves behind. Made the same way: the two cells before
   * it are painted again, unless the nearer one holds something, which would clear it.
   */
  #paintStray(row: ScreenRow, column: number): void {
    if (column < 2 || hasContent(row, column - 1)) return;
    this.moveTo(column - 2, this.#y);
    this.setPen(penOf(row, column));
    this.#put(wide);
    this.moveTo(column - 1, this.#y);
    this.#resetPen();
    this.#out.ascii('\x1b[@');
    this.#erase(column - 1, 1, row.cells[(column - 1) * wordsPerCell + 2] as number);
    const start = isSecondHalf(row, column - 2) && column > 2 ? column - 3 : column - 2;
    this.moveTo(start, this.#y);
    this.repaint(row, start);
  }

  /**
   * An empty cell that was not erased but left over, with the pen of whoever broke a wide character there. It is made
   * the same way; its neighbour is painted anew.
   */
  #paintOdd(row: ScreenRow, column: number): void {
    const left = Math.max(0, column - 1);
    this.#resetPen();
    this.moveTo(left, this.#y);
    this.#put(wide);
    this.moveTo(column === 0 ? 1 : left, this.#y);
    this.setPen(penOf(row, column));
    this.#put(space);
    const neighbour = column === 0 ? 1 : left;
    const start = neighbour > 0 && isSecondHalf(row, neighbour) ? neighbour - 1 : neighbour;
    this.moveTo(start, this.#y);
    this.repaint(row, start);
  }

  #setCellPen(row: ScreenRow, column: number): void {
    const at = column * wordsPerCell;
    const foreground = row.cells[at + 1] as number;
    const background = row.cells[at + 2] as number;
    const hasExtra = (background & Background.hasExtra) !== 0;
    if (!hasExtra && foreground === this.#foreground && background === this.#background) return;
    this.#say(sayable(foreground, background, hasExtra ? row.extra(column) : noExtra));
    if (hasExtra) return;
    this.#foreground = foreground;
    this.#background = background;
  }

  #printText(row: ScreenRow, column: number): void {
    const content = row.cells[column * wordsPerCell] as number;
    if ((content & Content.isCombined) !== 0) this.#out.text(row.combined(column));
    else this.#out.codePoint(content & Content.codePoint);
    this.#advance(content >>> Content.widthShift || 1);
  }

  #put(code: number): void {
    this.#out.codePoint(code);
    this.#advance(code === wide ? 2 : 1);
  }

  #advance(width: number): void {
    if (this.#isWrapDue) {
      this.#isWrapDue = false;
      this.#x = 0;
      this.#y = Math.min(this.#y + 1, this.#rows - 1);
    }
    this.#x = Math.min(this.#x + width, this.#columns);
  }

  #resetPen(): void {
    this.#say(said);
  }

  #forgetWords(): void {
    this.#foreground = -1;
    this.#background = -1;
  }

  #say(target: SaidPen): void {
    const pen = this.#pen;
    if (target.link !== pen.link) this.#sayLink(target.link);
    if (
      target.foreground !== pen.foreground ||
      target.background !== pen.background ||
      target.underlineStyle !== pen.underlineStyle ||
      target.underlineColor !== pen.underlineColor
    )
      this.#saySgr(pen, target);
    this.#pen = target;
    this.#forgetWords();
  }

  #sayLink(id: number): void {
    const link = this.#link(id);
    this.#out.ascii('\x1b]8;');
    if (link?.id !== undefined) this.#out.text(`id=${link.id}`);
    this.#out.byte(0x3b);
    if (link !== undefined) this.#out.text(link.uri);
    this.#out.ascii('\x1b\\');
  }

  #saySgr(from: SaidPen, to: SaidPen): void {
    const wasProtected = (from.background & Background.isProtected) !== 0;
    const isProtected = (to.background & Background.isProtected) !== 0;
    if (wasProtected && !isProtected) this.#out.ascii('\x1b[0"q');
    const parts = sgrParts(from, to);
    if (parts.length > 0)
      this.#out.ascii(parts.length === 1 && parts[0] === '0' ? '\x1b[m' : `\x1b[${parts.join(';')}m`);
    // In the engine, SGR 0 takes protection away; on other terminals it does not.
    if (isProtected && (!wasProtected || parts[0] === '0')) this.#out.ascii('\x1b[1"q');
  }
}

/** SGR parameters that make a pen from the plain one. */
export function sgrOf(pen: Pen): string {
  const hasExtra = (pen.background & Background.hasExtra) !== 0;
  return ['0', ...sgrParts(said, sayable(pen.foreground, pen.background, hasExtra ? pen.extra : noExtra))].join(';');
}

function sgrParts(from: SaidPen, to: SaidPen): string[] {
  const lost =
    (from.foreground & ~to.foreground & ~Color.both) |
    (from.background & ~to.background & ~Color.both & ~Background.isProtected);
  const losesUnderline = from.underlineStyle !== 0 && to.underlineStyle === 0;
  const losesColor = from.underlineColor !== 0 && to.underlineColor === 0;
  const isReset = lost !== 0 || losesUnderline || losesColor;
  const base = isReset ? said : from;
  const parts = isReset ? ['0'] : [];
  for (const [flag, code] of foregroundFlags)
    if ((to.foreground & ~base.foreground & flag) !== 0) parts.push(String(code));
  for (const [flag, code] of backgroundFlags)
    if ((to.background & ~base.background & flag) !== 0) parts.push(String(code));
  if (to.underlineStyle !== base.underlineStyle) parts.push(to.underlineStyle === 1 ? '4' : `4:${to.underlineStyle}`);
  if (((to.foreground ^ base.foreground) & Color.both) !== 0) parts.push(colorCode(to.foreground, 30));
  if (((to.background ^ base.background) & Color.both) !== 0) parts.push(colorCode(to.background, 40));
  if (to.underlineColor !== base.underlineColor) parts.push(underlineColorCode(to.underlineColor));
  return parts;
}

/** Sequences that bring the words of a pen from one value to another without touching underline, link or the rest of its extra. */
export function wordChanges(from: Omit<Pen, 'extra'>, to: Omit<Pen, 'extra'>): string {
  const lost = from.foreground & ~to.foreground;
  const lostBelow = from.background & ~to.background;
  const parts: string[] = [];
  const isThinned = (lost & Foreground.bold) !== 0 || (lostBelow & Background.dim) !== 0;
  if (isThinned) parts.push('22');
  if ((lost & Foreground.blink) !== 0) parts.push('25');
  if ((lost & Foreground.inverse) !== 0) parts.push('27');
  if ((lost & Foreground.invisible) !== 0) parts.push('28');
  if ((lost & Foreground.strikethrough) !== 0) parts.push('29');
  if ((lostBelow & Background.italic) !== 0) parts.push('23');
  if ((lostBelow & Background.overline) !== 0) parts.push('55');
  for (const [flag, code] of foregroundFlags) if ((to.foreground & flag) !== 0) parts.push(String(code));
  for (const [flag, code] of backgroundFlags) if ((to.background & flag) !== 0) parts.push(String(code));
  parts.push(colorCode(to.foreground, 30), colorCode(to.background, 40));
  return `\x1b[${parts.join(';')}m\x1b[${(to.background & Background.isProtected) === 0 ? 0 : 1}"q`;
}

function sayable(foreground: number, background: number, extra: CellExtra): SaidPen {
  const isUnderlined = (foreground & Foreground.underline) !== 0;
  const style = (extra.underline >>> underlineStyleShift) & 7;
  return {
    foreground: (foreground & ~Foreground.underline) >>> 0,
    background: (background & ~Background.hasExtra) >>> 0,
    underlineStyle: isUnderlined ? style || 1 : extra.link === 0 ? style : 0,
    underlineColor: extra.underline & Color.both,
    link: extra.link,
  };
}

/** `base` is 30 for the foreground, 40 for the background. */
function colorCode(word: number, base: number): string {
  const value = word & Color.value;
  switch (word & Color.kind) {
    case Color.ansi:
      return String(value < 8 ? base + value : base + 52 + value);
    case Color.indexed:
      return `${base + 8};5;${value & 0xff}`;
    case Color.rgb:
      return `${base + 8};2;${value >>> 16};${(value >>> 8) & 0xff};${value & 0xff}`;
    default:
      return String(base + 9);
  }
}

function underlineColorCode(color: number): string {
  if (color === underlineColorReset) return '59';
  const value = color & Color.value;
  if ((color & Color.kind) === Color.rgb) return `58:2::${value >>> 16}:${(value >>> 8) & 0xff}:${value & 0xff}`;
  return `58:5:${value & 0xff}`;
}

function widthAt(row: ScreenRow, column: number): number {
  return (row.cells[column * wordsPerCell] as number) >>> Content.widthShift;
}

function hasContent(row: ScreenRow, column: number): boolean {
  return ((row.cells[column * wordsPerCell] as number) & Content.any) !== 0;
}

function penOf(row: ScreenRow, column: number): Pen {
  const at = column * wordsPerCell;
  return {
    foreground: row.cells[at + 1] as number,
    background: row.cells[at + 2] as number,
    extra: row.extra(column),
  };
}

/** Whether the cell before is the first half of a wide character, whatever is in this one. */
export function isLeadOf(row: ScreenRow, column: number): boolean {
  return column > 0 && widthAt(row, column - 1) === 2 && hasContent(row, column - 1);
}

function isSecondHalf(row: ScreenRow, column: number): boolean {
  return widthAt(row, column) === 0 && !hasContent(row, column);
}

/** Whether the cell has no pen but a background: what erasing leaves. */
function isErased(cells: Uint32Array, column: number): boolean {
  const at = column * wordsPerCell;
  return cells[at + 1] === 0 && ((cells[at + 2] as number) & ~Color.both) === 0;
}

/** Whether the row is as on a fresh terminal. */
function isUntouched(row: ScreenRow): boolean {
  if (row.isWrapped) return false;
  const { cells } = row;
  for (let at = 0; at < cells.length; at += wordsPerCell)
    if (((cells[at] as number) & Content.any) !== 0 || cells[at + 1] !== 0 || cells[at + 2] !== 0) return false;
  return true;
}
