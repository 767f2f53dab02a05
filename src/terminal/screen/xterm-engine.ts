import unicode11 from '@xterm/addon-unicode11';
import xterm from '@xterm/headless';
import { assert } from '../../base/index.ts';
import { type CellExtra, noExtra } from './screen-cells.ts';
import type { EngineState, Link, MouseEncoding, MouseProtocol, ScreenBuffer, ScreenEngine } from './screen-engine.ts';
import {
  boundCombiningCharacters,
  charsetName,
  coreOf,
  type XtermBuffer,
  type XtermCore,
  type XtermLine,
} from './xterm-internals.ts';

/** Links kept at most, and characters of them: past either, those no cell shows are forgotten; if that frees too little, new ones are not made. */
const linksMax = 4096;
const linkCharactersMax = 1024 * 1024;

/** UTF-16 units of one cell. Emoji made of many take some 20; what goes on beyond is decoration or malice. */
const combinedMax = 64;

const protocols: Readonly<Record<string, MouseProtocol>> = { X10: 'x10', VT200: 'vt200', DRAG: 'drag', ANY: 'any' };
const encodings: Readonly<Record<string, MouseEncoding>> = { SGR: 'sgr', SGR_PIXELS: 'sgr-pixels' };

export interface XtermEngineOptions {
  columns: number;
  rows: number;
  /** Rows kept above the viewport. */
  scrollbackRows: number;
}

/** @xterm/headless as a `ScreenEngine`, with the character widths of Unicode 11, which the web client uses too. */
export class XtermEngine implements ScreenEngine {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #core: XtermCore;
  readonly #links = new Map<number, Link>();
  readonly #linkIds = new Map<string, number>();
  #linkCharacters = 0;
  #nextLink = 1;
  #rowsDropped = 0;
  #watched: XtermBuffer | undefined;

  constructor({ columns, rows, scrollbackRows }: XtermEngineOptions) {
    boundCombiningCharacters(combinedMax);
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: scrollbackRows,
      allowProposedApi: true,
      logLevel: 'off',
      vtExtensions: { kittyKeyboard: true },
    });
    this.#terminal.loadAddon(new unicode11.Unicode11Addon());
    this.#terminal.unicode.activeVersion = '11';
    this.#core = coreOf(this.#terminal);
    const { buffers } = this.#core._bufferService;
    buffers.onBufferActivate(() => this.#watchDroppedRows());
    this.#watchDroppedRows();
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  get rowsDropped(): number {
    return this.#rowsDropped;
  }

  write(bytes: Uint8Array): void {
    this.#core._inputHandler.parse(bytes);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  setLink(link: Link | undefined): void {
    const pen = this.#core._inputHandler._curAttrData;
    pen.extended = pen.extended.clone();
    pen.extended.urlId = link === undefined ? 0 : this.#register(link);
    pen.updateExtended();
  }

  link(id: number): Link | undefined {
    return this.#links.get(id);
  }

  state(): EngineState {
    const { _inputHandler, _charsetService, coreService, mouseStateService, optionsService, _bufferService } =
      this.#core;
    const { decPrivateModes: modes, kittyKeyboard: keyboard } = coreService;
    const { _curAttrData: pen, _parser: parser } = _inputHandler;
    return {
      isAlternate: _bufferService.buffers.active === _bufferService.buffers.alt,
      pen: {
        foreground: pen.fg >>> 0,
        background: pen.bg >>> 0,
        extra: { underline: pen.extended._ext >>> 0, link: pen.extended.urlId },
      },
      lastCharacterWidth: (parser.precedingJoinState >> 1) & 3,
      charsets: Array.from(_charsetService.charsets, charsetName),
      activeCharset: _charsetService.glevel,
      modes: {
        applicationCursorKeys: modes.applicationCursorKeys,
        applicationKeypad: modes.applicationKeypad,
        bracketedPaste: modes.bracketedPasteMode,
        colorSchemeUpdates: modes.colorSchemeUpdates,
        insert: coreService.modes.insertMode,
        newLine: optionsService.rawOptions.convertEol,
        origin: modes.origin,
        reverseWraparound: modes.reverseWraparound,
        sendFocus: modes.sendFocus,
        synchronizedOutput: modes.synchronizedOutput,
        wraparound: modes.wraparound,
        cursorHidden: coreService.isCursorHidden,
        cursorStyle: modes.cursorStyle,
        cursorBlink: modes.cursorBlink,
        mouseProtocol: protocols[mouseStateService.activeProtocol] ?? 'none',
        mouseEncoding: encodings[mouseStateService.activeEncoding] ?? 'default',
      },
      keyboard: {
        flags: keyboard.flags,
        normalFlags: keyboard.mainFlags,
        alternateFlags: keyboard.altFlags,
        normalStack: [...keyboard.mainStack],
        alternateStack: [...keyboard.altStack],
      },
    };
  }

  normal(): ScreenBuffer {
    return view(this.#core._bufferService.buffers.normal, this.columns);
  }

  alternate(): ScreenBuffer {
    return view(this.#core._bufferService.buffers.alt, this.columns);
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
    this.#links.clear();
    this.#linkIds.clear();
  }

  /** A full reset replaces the buffers. */
  #watchDroppedRows(): void {
    const { normal } = this.#core._bufferService.buffers;
    if (normal === this.#watched) return;
    this.#rowsDropped += this.#watched?.lines.length ?? 0;
    this.#watched = normal;
    normal.lines.onTrim((amount) => {
      this.#rowsDropped += amount;
    });
  }

  /** 0 when there is no room: the cells are then written without a link. */
  #register(link: Link): number {
    const key = link.id === undefined ? undefined : `${link.id};${link.uri}`;
    const known = key === undefined ? undefined : this.#linkIds.get(key);
    if (known !== undefined) return known;
    if (this.#links.size >= linksMax || this.#linkCharacters + link.uri.length > linkCharactersMax) this.#sweepLinks();
    if (this.#links.size >= linksMax || this.#linkCharacters + link.uri.length > linkCharactersMax) return 0;
    const id = this.#nextLink++;
    this.#links.set(id, link);
    if (key !== undefined) this.#linkIds.set(key, id);
    this.#linkCharacters += link.uri.length;
    return id;
  }

  #sweepLinks(): void {
    const shown = new Set<number>([this.#core._inputHandler._curAttrData.extended.urlId]);
    for (const buffer of [this.#core._bufferService.buffers.normal, this.#core._bufferService.buffers.alt])
      for (let i = 0; i < buffer.lines.length; i++)
        for (const extended of Object.values(buffer.lines.get(i)?._extendedAttrs ?? {}))
          if (extended !== undefined) shown.add(extended.urlId);
    for (const [id, link] of this.#links) {
      if (shown.has(id)) continue;
      this.#links.delete(id);
      if (link.id !== undefined) this.#linkIds.delete(`${link.id};${link.uri}`);
      this.#linkCharacters -= link.uri.length;
    }
  }
}

function view(buffer: XtermBuffer, columns: number): ScreenBuffer {
  const tabStops: number[] = [];
  for (let column = 0; column < columns; column++) if (buffer.tabs[column] === true) tabStops.push(column);
  return {
    base: buffer.ybase,
    length: buffer.lines.length,
    x: buffer.x,
    y: buffer.y,
    scrollTop: buffer.scrollTop,
    scrollBottom: buffer.scrollBottom,
    tabStops,
    saved: {
      column: buffer.savedX,
      row: buffer.savedY,
      foreground: buffer.savedCurAttrData.fg >>> 0,
      background: buffer.savedCurAttrData.bg >>> 0,
      charsets: Array.from(buffer.savedCharsets, charsetName),
      activeCharset: buffer.savedGlevel,
      isOrigin: buffer.savedOriginMode,
      isWraparound: buffer.savedWraparoundMode,
    },
    row(index) {
      const line = buffer.lines.get(index);
      assert(line !== undefined, `Row ${index} of ${buffer.lines.length} is missing`);
      return rowOf(line);
    },
  };
}

function rowOf(line: XtermLine): ScreenBuffer['row'] extends (index: number) => infer Row ? Row : never {
  return {
    cells: line._data,
    isWrapped: line.isWrapped,
    combined: (column) => line._combined[column] ?? '',
    extra: (column) => extraOf(line, column),
  };
}

function extraOf(line: XtermLine, column: number): CellExtra {
  const extended = line._extendedAttrs[column];
  return extended === undefined ? noExtra : { underline: extended._ext >>> 0, link: extended.urlId };
}
