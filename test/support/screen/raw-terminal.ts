import unicode11 from '@xterm/addon-unicode11';
import xterm from '@xterm/headless';
import { Background, Color, Foreground, underlineStyleShift } from '../../../src/terminal/screen/screen-cells.ts';
import { charsetName, coreOf, type XtermBuffer, type XtermLine } from '../../../src/terminal/screen/xterm-internals.ts';

const colorSpec = /^(?:rgb:[\da-f]{1,4}\/[\da-f]{1,4}\/[\da-f]{1,4}|#(?:[\da-f]{3}){1,4})$/i;

/** The private parts only this observer looks at. */
interface Observed {
  _inputHandler: {
    _windowTitle: string;
    _iconName: string;
    _windowTitleStack: string[];
    _iconNameStack: string[];
    _utf8Decoder: { interim: Uint8Array };
  };
  _oscLinkService: { getLinkData(id: number): { id?: string; uri: string } | undefined };
}

/**
 * A plain terminal as clients have it: the engine alone, fed byte by byte, with none of our code in front. What the
 * engine does not model is written down by hooks of its own.
 */
export class RawTerminal implements Disposable {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #core: ReturnType<typeof coreOf>;
  readonly #observed: Observed;
  readonly #palette = new Map<string, string>();
  readonly #strings = new Map<string, string>();
  readonly #modes = new Map<number, boolean>();
  readonly #keyModifiers = new Map<number, string>();
  readonly #records = new Map<string, string>();
  readonly #one = new Uint8Array(1);
  /** What the terminal answered, unasked by us. */
  readonly replies: string[] = [];

  constructor(columns: number, rows: number, scrollback = 1000) {
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback,
      allowProposedApi: true,
      logLevel: 'off',
      vtExtensions: { kittyKeyboard: true },
      windowOptions: { pushTitle: true, popTitle: true },
    });
    this.#terminal.loadAddon(new unicode11.Unicode11Addon());
    this.#terminal.unicode.activeVersion = '11';
    this.#core = coreOf(this.#terminal);
    this.#observed = this.#core as unknown as Observed;
    this.#terminal.onData((reply) => this.replies.push(reply));
    this.#watch();
  }

  /** Byte by byte, since the engine's shortcuts for whole sequences read some malformed ones differently. */
  feed(bytes: Uint8Array): this {
    for (const byte of bytes) {
      this.#one[0] = byte;
      this.#core._inputHandler.parse(this.#one);
    }
    return this;
  }

  resize(columns: number, rows: number): this {
    this.#terminal.resize(columns, rows);
    return this;
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
  }

  #watch(): void {
    const { parser } = this.#terminal;
    const on = (number: number, take: (data: string) => void) =>
      parser.registerOscHandler(number, (data) => {
        take(data);
        return false;
      });
    on(4, (data) => {
      const parts = data.split(';');
      for (let i = 0; i + 1 < parts.length; i += 2)
        if (/^\d{1,3}$/.test(parts[i] ?? '') && colorSpec.test(parts[i + 1] ?? ''))
          this.#palette.set(`4;${Number(parts[i])}`, parts[i + 1] ?? '');
    });
    on(104, (data) => {
      if (data === '') for (const key of this.#palette.keys()) key.startsWith('4;') && this.#palette.delete(key);
      else for (const index of data.split(';')) this.#palette.delete(`4;${Number(index)}`);
    });
    for (const number of [10, 11, 12]) {
      on(number, (data) => {
        for (const [i, spec] of data.split(';').entries())
          if (colorSpec.test(spec)) this.#palette.set(String(number + i), spec);
      });
      on(number + 100, () => this.#palette.delete(String(number)));
    }
    on(7, (data) => this.#strings.set('cwd', data));
    on(22, (data) => this.#strings.set('pointer', data));
    on(9, (data) => {
      const [, state = '', percent = '0'] = /^4;([0-4])(?:;(\d+))?$/.exec(data) ?? [];
      if (state === '0') this.#strings.delete('progress');
      else if (state !== '') this.#strings.set('progress', `${state};${state === '3' ? 0 : Number(percent)}`);
    });
    on(7501, (data) => {
      if (/(?:^|:)state=(?:idle|working|done|blocked|error)(?::|$)/.test(data))
        this.#records.set(/(?:^|:)id=([^:]*)/.exec(data)?.[1] ?? '', data);
    });
    for (const final of ['h', 'l'])
      parser.registerCsiHandler({ prefix: '?', final }, (params) => {
        for (const mode of params)
          if (mode === 5 || mode === 1007 || mode === 1015 || mode === 2027) this.#modes.set(mode, final === 'h');
        return false;
      });
    parser.registerCsiHandler({ prefix: '>', final: 'm' }, (params) => {
      if (params.length > 1) this.#keyModifiers.set(Number(params[0]), String(params[1]));
      else this.#keyModifiers.delete(Number(params[0]));
      return false;
    });
    parser.registerEscHandler({ final: 'c' }, () => {
      this.#modes.clear();
      this.#keyModifiers.clear();
      return false;
    });
  }

  /** All that can be told about the terminal, as plain values. */
  observe(): Observation {
    const { _inputHandler: input, coreService, mouseStateService, optionsService, _bufferService } = this.#core;
    const { buffers } = _bufferService;
    const observedInput = this.#observed._inputHandler;
    const links: Record<string, string> = {};
    const observation = {
      size: [this.#terminal.cols, this.#terminal.rows],
      isAlternate: buffers.active === buffers.alt,
      normal: this.#observeBuffer(buffers.normal, 'normal', links),
      alternate: this.#observeBuffer(buffers.alt, 'alternate', links),
      cursor: [buffers.active.x, buffers.active.y],
      pen: this.#cell(input._curAttrData.fg, input._curAttrData.bg, input._curAttrData.extended, true),
      lastCharacter: (input._parser.precedingJoinState >> 1) & 3,
      parser: [input._parser.currentState, ...observedInput._utf8Decoder.interim],
      charsets: named(this.#core._charsetService.charsets),
      activeCharset: this.#core._charsetService.glevel,
      modes: {
        ...coreService.decPrivateModes,
        insert: coreService.modes.insertMode,
        newLine: optionsService.rawOptions.convertEol,
        isCursorHidden: coreService.isCursorHidden,
        mouse: [mouseStateService.activeProtocol, mouseStateService.activeEncoding],
        others: [...this.#modes].filter(([, isSet]) => isSet).sort(),
      },
      keyboard: structuredClone(coreService.kittyKeyboard),
      keyModifiers: [...this.#keyModifiers].sort(),
      titles: [
        observedInput._windowTitle,
        observedInput._iconName,
        [...observedInput._windowTitleStack],
        [...observedInput._iconNameStack],
      ],
      palette: [...this.#palette].sort(),
      strings: [...this.#strings].sort(),
      records: [...this.#records].sort(),
    };
    const penLink = input._curAttrData.extended.urlId;
    if (penLink !== 0) links.pen = this.#linkText(penLink);
    return { ...observation, links };
  }

  /** Why the present state cannot be said in VT, of the reasons `serializeScreen` names; undefined when it can. */
  oddity(): string | undefined {
    const { buffers } = this.#core._bufferService;
    const { active } = buffers;
    const columns = this.#terminal.cols;
    for (const buffer of [buffers.normal, buffers.alt]) {
      if (buffer.savedY > buffer.ybase + this.#terminal.rows - 1) return 'saved cursor below the screen';
      if (Object.keys(buffer.tabs).some((column) => Number(column) >= columns)) return 'tab stop beyond the edge';
      for (let i = 0; i < buffer.lines.length; i++) {
        const data = buffer.lines.get(i)?._data ?? [];
        for (let at = 0; at + 3 < data.length; at += 3)
          if ((data[at] ?? 0) >>> 21 === 5 && (data[at + 3] ?? 0) !== 0) return 'character widened by a mark';
      }
    }
    const pen = this.#core._inputHandler._curAttrData;
    const isFlagged = (pen.bg & Background.hasExtra) !== 0;
    const isUnderlined = (pen.fg & Foreground.underline) !== 0;
    const style = (pen.extended._ext >>> underlineStyleShift) & 7;
    if (isFlagged !== (style !== 0 || pen.extended.urlId !== 0) || isUnderlined !== (style !== 0)) {
      const saved = active.savedCurAttrData;
      const isSaved =
        ((saved.bg ^ pen.bg) & Background.hasExtra) === 0 && ((saved.fg ^ pen.fg) & Foreground.underline) === 0;
      if (!isSaved || active.x >= columns) return 'pen that contradicts itself';
    }
    const row = active.lines.get(active.ybase + active.y)?._data ?? [];
    const last = row[row.length - 3] ?? 0;
    const isEmptied = active.x >= columns && last === 1 << 22 && row.some((word, i) => i % 3 === 0 && word !== last);
    return isEmptied ? 'wrap due after an emptied cell' : undefined;
  }

  #observeBuffer(buffer: XtermBuffer, name: string, links: Record<string, string>): unknown {
    const rows: string[] = [];
    for (let i = 0; i < buffer.lines.length; i++) {
      const line = buffer.lines.get(i);
      if (line !== undefined) rows.push(this.#observeRow(line, i, name, links));
    }
    const columns = this.#terminal.cols;
    const tabs: number[] = [];
    for (let c = 0; c < columns; c++) if (buffer.tabs[c] === true) tabs.push(c);
    return {
      rows,
      base: buffer.ybase,
      region: [buffer.scrollTop, buffer.scrollBottom],
      tabs,
      saved: [
        Math.min(buffer.savedX, columns - 1),
        buffer.savedY,
        buffer.savedCurAttrData.fg >>> 0,
        buffer.savedCurAttrData.bg >>> 0,
        named(buffer.savedCharsets),
        buffer.savedGlevel,
        buffer.savedOriginMode,
        buffer.savedWraparoundMode,
      ],
      y: buffer.y,
    };
  }

  /** Cells that are not as new. */
  #observeRow(line: XtermLine, index: number, name: string, links: Record<string, string>): string {
    const data = line._data;
    const parts = [line.isWrapped ? 'wrapped' : ''];
    for (let column = 0; column * 3 < data.length; column++) {
      const at = column * 3;
      const content = data[at] ?? 0;
      const fg = data[at + 1] ?? 0;
      const bg = data[at + 2] ?? 0;
      if (content === 1 << 22 && fg === 0 && bg === 0) continue;
      const text = content & 0x200000 ? line._combined[column] : (content & 0x1fffff).toString(16);
      const extended = bg & Background.hasExtra ? line._extendedAttrs[column] : undefined;
      parts.push(`${column}:${text}:${content >>> 22}:${this.#cell(fg, bg, extended, false)}`);
      const link = extended?.urlId ?? 0;
      if (link !== 0) links[`${name} ${index} ${column}`] = this.#linkText(link);
    }
    return parts.join(' ');
  }

  /** Words of a cell with the underline as it shows: the engine keeps it in three places that may disagree. */
  #cell(fg: number, bg: number, extended: { _ext: number; urlId: number } | undefined, isPen: boolean): string {
    const isUnderlined = (fg & Foreground.underline) !== 0;
    const underline = (extended?._ext ?? 0) >>> 0;
    const style = (underline >>> underlineStyleShift) & 7;
    const hasLink = (extended?.urlId ?? 0) !== 0;
    const shown = isUnderlined ? style || 1 : hasLink ? 0 : style;
    const color = isPen || shown !== 0 || hasLink ? underline & Color.both : 0;
    const words = [(fg & ~Foreground.underline) >>> 0, (bg & ~Background.hasExtra) >>> 0];
    return `${words.map((word) => word.toString(16)).join(',')},${shown},${color.toString(16)},${hasLink ? 'L' : ''}`;
  }

  #linkText(id: number): string {
    const link = this.#observed._oscLinkService.getLinkData(id);
    return link === undefined ? lostLink : `${link.id ?? ''} ${link.uri}`;
  }
}

/** The engine forgets a link's address when its rows are cleared, though cells and pen may still show it; ours does not. */
const lostLink = '(lost)';

export type Observation = Record<string, unknown> & { links: Record<string, string> };

/** Paths and values where `actual` is not as `expected`; empty when the two are the same. */
export function differences(expected: Observation, actual: Observation): string[] {
  const found: string[] = [];
  compare({ ...expected, links: undefined }, { ...actual, links: undefined }, '', found);
  for (const key of new Set([...Object.keys(expected.links), ...Object.keys(actual.links)])) {
    const [before, after] = [expected.links[key], actual.links[key]];
    if (before !== after && before !== lostLink && after !== lostLink) found.push(`links ${key}: ${before} → ${after}`);
  }
  return found;
}

function compare(expected: unknown, actual: unknown, path: string, found: string[]): void {
  if (Object.is(expected, actual)) return;
  if (typeof expected === 'object' && typeof actual === 'object' && expected !== null && actual !== null) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)]))
      compare(Reflect.get(expected, key), Reflect.get(actual, key), `${path} ${key}`, found);
  } else found.push(`${path.trim()}: ${JSON.stringify(expected)} → ${JSON.stringify(actual)}`);
}

function named(charsets: readonly (Parameters<typeof charsetName>[0] | undefined)[]): (string | undefined)[] {
  return [0, 1, 2, 3].map((i) => charsetName(charsets[i]));
}
