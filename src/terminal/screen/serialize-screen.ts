import { ByteWriter } from './byte-writer.ts';
import {
  Background,
  Color,
  Content,
  Foreground,
  type Pen,
  plainPen,
  underlineStyleShift,
  wordsPerCell,
} from './screen-cells.ts';
import type { EngineState, SavedCursor, ScreenBuffer, ScreenEngine, ScreenModes, ScreenRow } from './screen-engine.ts';
import { isLeadOf, ScreenPainter, wordChanges } from './screen-painter.ts';
import type { TrackedState } from './tracked-state.ts';

export interface SerializeOptions {
  engine: ScreenEngine;
  tracked: TrackedState;
  /** What the scanner holds back. */
  pending: Uint8Array;
  /** Rows above the viewport to include. */
  rowsMax: number;
  /** Written among the names and colours. */
  more?: (out: ByteWriter) => void;
}

/**
 * The bytes that bring a fresh terminal of the same size into the state of `engine`: fed with them and then with
 * whatever the program writes next, it is from then on as if it had seen everything. `conformance.test.ts` holds that
 * for every state it lists, cut at every byte.
 *
 * What VT cannot say and is therefore lost: rows above `rowsMax`; tab stops beyond the right edge; a saved cursor below
 * the screen (after its scrollback was cleared); that the next character would wrap, where the last cell of the row was
 * emptied since; a pen whose flags contradict its underline or link when DECRC on the other screen left it so; that no
 * charset was designated since a soft reset; a character widened by a mark meant for one that found no room; half of a
 * wide character that was broken at the edge and moved from there since; images. The suite leaves out exactly these.
 */
export function serializeScreen(options: SerializeOptions): Uint8Array<ArrayBuffer> {
  const out = shared ?? new ByteWriter(256 * 1024);
  shared = undefined;
  try {
    out.clear();
    new Serializer(options, out).write();
    return out.copy();
  } finally {
    if (out.capacity <= keptCapacityMax) shared = out;
  }
}

/** Room for a checkpoint kept between two, so that a thousand do not make as many large buffers. */
const keptCapacityMax = 4 * 1024 * 1024;
let shared: ByteWriter | undefined;

const charsetIntroducers = ['(', ')', '*', '+'] as const;
const charsetShifts = ['\x0f', '\x0e', '\x1bn', '\x1bo'] as const;

class Serializer {
  readonly #options: SerializeOptions;
  readonly #out: ByteWriter;
  readonly #engine: ScreenEngine;
  readonly #painter: ScreenPainter;
  readonly #state: EngineState;
  readonly #normal: ScreenBuffer;
  readonly #alternate: ScreenBuffer;
  /** Designations on the terminal that is being written to. */
  readonly #charsets: (string | undefined)[] = [];

  constructor(options: SerializeOptions, out: ByteWriter) {
    const { engine } = options;
    this.#options = options;
    this.#out = out;
    this.#engine = engine;
    this.#painter = new ScreenPainter({
      out,
      columns: engine.columns,
      rows: engine.rows,
      link: (id) => engine.link(id),
    });
    this.#state = engine.state();
    this.#normal = engine.normal();
    this.#alternate = engine.alternate();
  }

  write(): void {
    const { isAlternate, modes } = this.#state;
    // First, so that a real terminal shows nothing of a frame the program has not finished.
    if (modes.synchronizedOutput) this.#out.ascii('\x1b[?2026h');
    this.#options.tracked.write(this.#out);
    this.#options.more?.(this.#out);
    const isVisitFirst = isAlternate || this.#alternate.saved.charsets.length <= this.#normal.saved.charsets.length;
    if (isVisitFirst) this.#visitAlternate();
    this.#paintNormal();
    if (!isVisitFirst) this.#visitAlternate();
    if (isAlternate) this.#enterAlternate();
    this.#finish(isAlternate ? this.#alternate : this.#normal);
    this.#out.bytes(this.#options.pending);
  }

  #paintNormal(): void {
    const first = Math.max(0, this.#normal.base - this.#options.rowsMax);
    this.#paint(this.#normal, first);
    this.#writeTabStops(this.#normal);
    if (!this.#state.isAlternate) return;
    this.#writeScrollRegion(this.#normal);
    this.#painter.moveTo(Math.min(this.#normal.x, this.#engine.columns - 1), this.#normal.y);
  }

  /** Paints a buffer and, while the row is there that DECSC was used on, uses DECSC on it. */
  #paint(buffer: ScreenBuffer, first: number): void {
    const savedRow = Math.max(0, buffer.saved.row - first);
    let isDue = !isInitial(buffer.saved);
    this.#painter.paint(buffer, first, (row, y) => {
      if (!isDue || row - first !== savedRow) return;
      isDue = false;
      this.#saveCursor(buffer.saved, y, buffer.row(row));
      this.#painter.moveTo(0, y);
    });
    if (!isDue) return;
    const y = Math.min(savedRow, this.#engine.rows - 1);
    this.#saveCursor(buffer.saved, y, buffer.row(Math.min(first + savedRow, buffer.length - 1)));
  }

  /** `row` is what stands in row `y`, if anything does. */
  #saveCursor(saved: SavedCursor, y: number, row?: ScreenRow): void {
    const lastColumn = this.#engine.columns - 1;
    this.#designate(saved.charsets);
    if (saved.activeCharset > 0) this.#out.ascii(charsetShifts[saved.activeCharset] ?? '');
    if (!saved.isWraparound) this.#out.ascii('\x1b[?7l');
    if (saved.isOrigin) {
      this.#out.ascii('\x1b[?6h');
      this.#painter.placed(0, 0);
    }
    this.#painter.moveTo(Math.min(saved.column, lastColumn), y);
    const isAtEdge = saved.column > lastColumn;
    const isCellLost = isAtEdge && !(row !== undefined && this.#painter.printLastCell(row));
    if (isCellLost) this.#out.byte(space);
    this.#setSavedPen(saved);
    this.#printBeyondEdge(saved.column);
    this.#out.ascii('\x1b7');
    if (isCellLost) {
      this.#out.byte(0x0d);
      this.#painter.placed(0, y);
    }
    if (saved.isOrigin) {
      this.#out.ascii('\x1b[?6l');
      this.#painter.placed(0, 0);
    }
    if (!saved.isWraparound) this.#out.ascii('\x1b[?7h');
    if (saved.activeCharset > 0) this.#out.ascii(charsetShifts[0]);
    if (this.#charsets[0] !== undefined) this.#designate([undefined]);
    if (isCellLost && row !== undefined) {
      this.#painter.moveTo(lastColumn, y);
      this.#painter.repaint(row, lastColumn);
    }
    this.#painter.setPen(plainPen);
  }

  /** DECSC keeps only words, and among their flags that the pen had extra; any extra will do. */
  #setSavedPen({ foreground, background }: SavedCursor): void {
    const hasExtra = (background & Background.hasExtra) !== 0;
    const isUnderlined = (foreground & Foreground.underline) !== 0;
    const underline = hasExtra && !isUnderlined ? 0 : 1 << underlineStyleShift;
    this.#painter.setPen({ foreground, background, extra: { underline, link: 0 } });
    if (!hasExtra || isUnderlined) return;
    this.#out.ascii('\x1b]8;;about:blank\x1b\\');
    this.#painter.penIs({ foreground, background, extra: { underline: 0, link: -1 } });
  }

  /** Saved cursor and keyboard flags of the screen that is not shown can only be set on it. */
  #visitAlternate(): void {
    const { isAlternate, keyboard } = this.#state;
    const { saved } = this.#alternate;
    const isSaved = !isAlternate && !isInitial(saved);
    if (isAlternate) {
      if (keyboard.alternateFlags !== 0) {
        this.#out.ascii(`\x1b[?1047h\x1b[=${keyboard.alternateFlags}u\x1b[?1047l`);
      }
      this.#pushKeyboardFlags(keyboard.normalStack, keyboard.normalFlags, 0);
      return;
    }
    const isFlagged = keyboard.normalFlags !== 0 || keyboard.alternateFlags !== 0 || keyboard.alternateStack.length > 0;
    if (isSaved || isFlagged) {
      if (keyboard.normalFlags !== 0) this.#out.ascii(`\x1b[=${keyboard.normalFlags}u`);
      this.#out.ascii('\x1b[?1047h');
      if (isSaved) this.#saveCursor(saved, Math.min(saved.row, this.#engine.rows - 1));
      this.#pushKeyboardFlags(keyboard.alternateStack, keyboard.alternateFlags, 0);
      this.#out.ascii('\x1b[?1047l');
    }
    this.#pushKeyboardFlags(keyboard.normalStack, keyboard.flags, isFlagged ? keyboard.normalFlags : 0);
  }

  /** Builds a stack, oldest first, below the flags in force. */
  #pushKeyboardFlags(stack: readonly number[], flags: number, present: number): void {
    let isFirst = true;
    for (const value of [...stack, flags]) {
      if (!isFirst) this.#out.ascii(`\x1b[>${value}u`);
      else if (value !== present) this.#out.ascii(`\x1b[=${value}u`);
      isFirst = false;
    }
  }

  #enterAlternate(): void {
    const { keyboard } = this.#state;
    this.#out.ascii('\x1b[?1047h');
    this.#pushKeyboardFlags(keyboard.alternateStack, keyboard.flags, keyboard.alternateFlags);
    this.#paint(this.#alternate, 0);
    this.#writeTabStops(this.#alternate);
  }

  #writeTabStops({ tabStops }: ScreenBuffer): void {
    const { columns } = this.#engine;
    const isInitial = tabStops.length === Math.ceil(columns / 8) && tabStops.every((column, i) => column === i * 8);
    if (isInitial) return;
    this.#out.ascii('\x1b[3g');
    for (const column of tabStops) {
      this.#out.ascii(`\x1b[${column + 1}G\x1bH`);
    }
    if (tabStops.length > 0) this.#painter.placed(-1, -1);
  }

  #writeScrollRegion({ scrollTop, scrollBottom }: ScreenBuffer): void {
    if (scrollTop === 0 && scrollBottom === this.#engine.rows - 1) return;
    this.#out.ascii(`\x1b[${scrollTop + 1};${scrollBottom + 1}r`);
    this.#painter.placed(0, 0);
  }

  /** Everything that holds for the terminal as a whole, and the cursor of the screen that is shown. */
  #finish(buffer: ScreenBuffer): void {
    const { modes, charsets, activeCharset, pen } = this.#state;
    this.#writeScrollRegion(buffer);
    if (!isSayable(pen)) this.#setUnsayablePen(buffer.saved);
    this.#designateOnly(charsets);
    if (activeCharset > 0) this.#out.ascii(charsetShifts[activeCharset] ?? '');
    this.#writeModes(modes);
    if (modes.origin) {
      this.#out.ascii('\x1b[?6h');
      this.#painter.placed(0, buffer.scrollTop);
    }
    if (!this.#printLastCharacter(buffer)) this.#placeCursor(buffer);
  }

  #writeModes(modes: ScreenModes): void {
    const out = this.#out;
    if (modes.applicationCursorKeys) out.ascii('\x1b[?1h');
    if (modes.applicationKeypad) out.ascii('\x1b=');
    if (modes.reverseWraparound) out.ascii('\x1b[?45h');
    if (modes.sendFocus) out.ascii('\x1b[?1004h');
    if (modes.bracketedPaste) out.ascii('\x1b[?2004h');
    if (modes.colorSchemeUpdates) out.ascii('\x1b[?2031h');
    if (modes.mouseProtocol !== 'none') out.ascii(`\x1b[?${mouseModes[modes.mouseProtocol]}h`);
    if (modes.mouseEncoding !== 'default') out.ascii(modes.mouseEncoding === 'sgr' ? '\x1b[?1006h' : '\x1b[?1016h');
    if (modes.newLine) out.ascii('\x1b[20h');
    if (modes.cursorHidden) out.ascii('\x1b[?25l');
    const shape = cursorShape(modes);
    if (shape > 0) out.ascii(`\x1b[${shape} q`);
  }

  /** Designates G0 to G3. The last one even if it is ASCII, since DECSC keeps as many as were ever designated. */
  #designate(charsets: readonly (string | undefined)[]): void {
    for (const [i, introducer] of charsetIntroducers.entries()) {
      if (i >= charsets.length) break;
      const name = charsets[i];
      const isNew = i >= this.#charsets.length && i === charsets.length - 1;
      if (name === this.#charsets[i] && !isNew) continue;
      this.#out.ascii(`\x1b${introducer}${name ?? 'B'}`);
      this.#charsets[i] = name;
    }
  }

  /** As `designate`, and ASCII in all others. */
  #designateOnly(charsets: readonly (string | undefined)[]): void {
    const isLonger = this.#charsets.findLastIndex((name) => name !== undefined) >= charsets.length;
    this.#designate(isLonger ? this.#charsets.map((_, i) => charsets[i]) : charsets);
  }

  /**
   * Prints the last character again where it stands, last of all, if a combining character or REP coming next would
   * work on it. The pen is still the one it was printed with: anything that changes the pen ends this state.
   */
  #printLastCharacter(buffer: ScreenBuffer): boolean {
    const { lastCharacterWidth: width, modes, pen } = this.#state;
    if (width === 0) return false;
    const { columns } = this.#engine;
    const row = buffer.row(buffer.base + buffer.y);
    const x = Math.min(buffer.x, columns);
    const column = x - width;
    const content = row.cells[column * wordsPerCell] ?? 0;
    const isThere = column >= 0 && (content & Content.any) !== 0 && content >>> Content.widthShift === width;
    const isLeftOut = !isThere && width === 2 && !modes.wraparound && x === columns - 1;
    if (!isThere && !isLeftOut) return false;
    this.#moveTo(buffer, isLeftOut ? x : column);
    if ((isLeftOut ? x : column) === columns - 1 && isLeadOf(row, columns - 1)) this.#painter.printLead(row);
    if (isSayable(pen)) this.#painter.setPenWithUnderlineColor(pen);
    if (isLeftOut) {
      // A wide character that found no room at the edge, with autowrap off: any other finds none either.
      this.#out.ascii(modes.insert ? '\x1b[4h\x1b[?7l' : '\x1b[?7l');
      this.#out.codePoint(wideCharacter);
      return true;
    }
    if (modes.insert) this.#out.ascii(`\x1b[4h\x1b[${width}P`);
    if (!modes.wraparound) this.#out.ascii('\x1b[?7l');
    if ((content & Content.isCombined) !== 0) this.#out.text(row.combined(column));
    else this.#out.codePoint(content & Content.codePoint);
    return true;
  }

  #placeCursor(buffer: ScreenBuffer): void {
    const { columns } = this.#engine;
    const { modes, pen } = this.#state;
    if (buffer.x < columns) this.#moveTo(buffer, buffer.x);
    else this.#runToEdge(buffer);
    if (modes.insert) this.#out.ascii('\x1b[4h');
    if (!modes.wraparound) this.#out.ascii('\x1b[?7l');
    if (isSayable(pen)) this.#painter.setPenWithUnderlineColor(pen);
  }

  /** Past the last column, where the next character wraps: only printing there gets there. */
  #runToEdge(buffer: ScreenBuffer): void {
    const { columns } = this.#engine;
    const { pen } = this.#state;
    const row = buffer.row(buffer.base + buffer.y);
    const at = (columns - 1) * wordsPerCell;
    this.#moveTo(buffer, columns - 1);
    const last = row.cells[at] ?? 0;
    const hasPen = row.cells[at + 1] === pen.foreground && row.cells[at + 2] === pen.background;
    if (!isSayable(pen) && hasPen && (last & Content.any) !== 0) this.#painter.printAsIs(row, columns - 1);
    else if (!this.#painter.printLastCell(row)) {
      // The row was erased after the cursor got there; erasing to the left clears it again without moving.
      const background = (row.cells[at + 2] ?? 0) & Color.both;
      if (!isBlank(row.cells, background)) return;
      this.#out.byte(space);
      this.#painter.setPen({ ...plainPen, background });
      this.#out.ascii('\x1b[1K');
    }
    this.#printBeyondEdge(buffer.x);
  }

  /** From past the last column to `x`: a mark that joins nothing takes a place of its own, even where there is none. */
  #printBeyondEdge(x: number): void {
    const { columns } = this.#engine;
    // A lone string terminator does nothing, but what was printed last is now no longer joined.
    if (x >= columns) this.#out.ascii('\x1b\\');
    for (let i = columns; i < x; i++) this.#out.codePoint(combiningGrave);
  }

  #moveTo(buffer: ScreenBuffer, x: number): void {
    const top = this.#state.modes.origin ? buffer.scrollTop : 0;
    this.#out.ascii(`\x1b[${Math.max(1, buffer.y - top + 1)};${x + 1}H`);
    this.#painter.placed(x, buffer.y);
  }

  /**
   * DECRC brings back the words of a pen but not its extra, so a pen's flags may contradict its extra. The same pen
   * comes about the same way, and by changes since then that leave the extra alone. Where it came about on the other
   * screen, it is set as it shows.
   */
  #setUnsayablePen(saved: SavedCursor): void {
    const { pen } = this.#state;
    const style = (pen.extra.underline >>> underlineStyleShift) & 7;
    const isFromHere =
      ((pen.background ^ saved.background) & Background.hasExtra) === 0 &&
      ((pen.foreground ^ saved.foreground) & Foreground.underline) === 0;
    if (!isFromHere) {
      this.#painter.setPen(pen);
      return;
    }
    this.#painter.setPen({ ...pen, background: (pen.background | Background.hasExtra) >>> 0 });
    this.#out.ascii(style === 0 ? '\x1b[24m' : `\x1b[4:${style}m`);
    // With the pen come cursor, charsets and two modes; those are set afterwards.
    this.#out.ascii('\x1b8\x1b[?6l\x1b[?7h');
    this.#out.ascii(charsetShifts[0]);
    for (const [i, name] of saved.charsets.entries()) this.#charsets[i] = name;
    this.#painter.placed(0, 0);
    this.#out.ascii(wordChanges(saved, pen));
  }
}

const space = 0x20;
/** Any character two columns wide. */
const wideCharacter = 0x6f22;
const combiningGrave = 0x300;
const mouseModes = { x10: 9, vt200: 1000, drag: 1002, any: 1003 } as const;
const cursorShapes = { block: 1, underline: 3, bar: 5 } as const;

/** What DECSCUSR takes; 0 when the program has not chosen. */
function cursorShape({ cursorStyle, cursorBlink }: ScreenModes): number {
  if (cursorStyle === undefined) return cursorBlink === undefined ? 0 : cursorBlink ? 7 : 8;
  return cursorShapes[cursorStyle] + (cursorBlink === true ? 0 : 1);
}

function isInitial(saved: SavedCursor): boolean {
  return (
    saved.column === 0 &&
    saved.row === 0 &&
    saved.foreground === 0 &&
    saved.background === 0 &&
    saved.charsets.length === 0 &&
    saved.activeCharset === 0 &&
    !saved.isOrigin &&
    saved.isWraparound
  );
}

/** Whether SGR and OSC 8 alone make this pen: flags and extra agree. */
function isSayable({ foreground, background, extra }: Pen): boolean {
  const style = (extra.underline >>> underlineStyleShift) & 7;
  const hasExtra = style !== 0 || extra.link !== 0;
  const isUnderlined = (foreground & Foreground.underline) !== 0;
  return hasExtra === ((background & Background.hasExtra) !== 0) && isUnderlined === (style !== 0);
}

function isBlank(cells: Uint32Array, background: number): boolean {
  for (let at = 0; at < cells.length; at += wordsPerCell)
    if (((cells[at] as number) & Content.any) !== 0 || cells[at + 1] !== 0 || cells[at + 2] !== background)
      return false;
  return true;
}
