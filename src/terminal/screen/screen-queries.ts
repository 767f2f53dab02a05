import { defaultPaletteColor, formatColor, parseColor, type Rgb } from './color-spec.ts';
import type { ControlSequence, ControlString } from './control-scanner.ts';
import { Background } from './screen-cells.ts';
import type { ScreenEngine } from './screen-engine.ts';
import { sgrOf } from './screen-painter.ts';
import type { TrackedState } from './tracked-state.ts';

/** What a program that asks is told of the window it is shown in. The daemon sets it to the driver's. */
export interface ScreenLook {
  foreground: Rgb;
  background: Rgb;
  cursor: Rgb;
  scheme: 'dark' | 'light';
  /** Of one cell, in pixels. */
  cellWidth: number;
  cellHeight: number;
}

export const darkLook: ScreenLook = {
  foreground: { red: 0xe5e5, green: 0xe5e5, blue: 0xe5e5 },
  background: { red: 0, green: 0, blue: 0 },
  cursor: { red: 0xe5e5, green: 0xe5e5, blue: 0xe5e5 },
  scheme: 'dark',
  cellWidth: 9,
  cellHeight: 18,
};

/** Name and version a program gets for XTVERSION. */
export const terminalName = 'concertmaster(1)';

/** DECRPM: not known, set, reset, always set, always reset. */
const Mode = { unknown: 0, set: 1, reset: 2, alwaysSet: 3, alwaysReset: 4 } as const;

export interface ScreenQueriesOptions {
  engine: ScreenEngine;
  tracked: TrackedState;
  look(): ScreenLook;
  /** `end` is the offset after the query. */
  answer(end: number, text: string): void;
}

/**
 * Answers what programs ask their terminal; nobody else does, so a program gets one answer however many clients look
 * on, and also when none does. Never told: titles (they would come back as typed input) and the clipboard.
 */
export class ScreenQueries {
  readonly #options: ScreenQueriesOptions;

  constructor(options: ScreenQueriesOptions) {
    this.#options = options;
  }

  sequence(sequence: ControlSequence, end: number): void {
    const answer = this.#answerTo(sequence);
    if (answer !== undefined) this.#options.answer(end, answer);
  }

  /** `ESC Z` asks what `CSI c` does. */
  identify(end: number): void {
    this.#options.answer(end, primaryAttributes);
  }

  string(string: ControlString, end: number): void {
    if (string.kind === 'osc') this.#osc(string, end);
    else if (string.kind === 'dcs') this.#dcs(string, end);
  }

  #answerTo({ prefix, params, intermediates, final }: ControlSequence): string | undefined {
    const [first = 0] = params;
    switch (`${prefix}${intermediates}${final}`) {
      case 'c':
        return first === 0 ? primaryAttributes : undefined;
      case '>c':
        return first === 0 ? '\x1b[>1;10;0c' : undefined;
      case '=c':
        return first === 0 ? '\x1bP!|00000000\x1b\\' : undefined;
      case 'n':
        return first === 5 ? '\x1b[0n' : first === 6 ? this.#cursorPosition('') : undefined;
      case '?n':
        return this.#privateStatus(first);
      case '$p':
        return `\x1b[${first};${this.#ansiMode(first)}$y`;
      case '?$p':
        return `\x1b[?${first};${this.#privateMode(first)}$y`;
      case '>q':
        return first === 0 ? `\x1bP>|${terminalName}\x1b\\` : undefined;
      case '?u':
        return `\x1b[?${this.#options.engine.state().keyboard.flags}u`;
      case '?m':
        return first === 4 ? `\x1b[>4;${Math.max(0, this.#options.tracked.keyModifiers.get(4) ?? 0)}m` : undefined;
      case 't':
        return this.#windowReport(first, params[1] ?? 0);
      default:
        return undefined;
    }
  }

  #cursorPosition(prefix: string): string {
    const { engine } = this.#options;
    const { isAlternate, modes } = engine.state();
    const { x, y, scrollTop } = isAlternate ? engine.alternate() : engine.normal();
    const row = modes.origin ? y - scrollTop : y;
    return `\x1b[${prefix}${row + 1};${Math.min(x, engine.columns - 1) + 1}R`;
  }

  #privateStatus(request: number): string | undefined {
    switch (request) {
      case 6:
        return this.#cursorPosition('?');
      case 15:
        return '\x1b[?13n';
      case 25:
        return '\x1b[?21n';
      case 26:
        return '\x1b[?27;1;0;0n';
      case 53:
      case 55:
        return '\x1b[?50n';
      case 996:
        return `\x1b[?997;${this.#options.look().scheme === 'dark' ? 1 : 2}n`;
      default:
        return undefined;
    }
  }

  #ansiMode(number: number): number {
    const { modes } = this.#options.engine.state();
    switch (number) {
      case 2:
        return Mode.alwaysReset;
      case 4:
        return modes.insert ? Mode.set : Mode.reset;
      case 12:
        return Mode.alwaysSet;
      case 20:
        return modes.newLine ? Mode.set : Mode.reset;
      default:
        return Mode.unknown;
    }
  }

  #privateMode(number: number): number {
    const { isAlternate, modes } = this.#options.engine.state();
    const known: Readonly<Record<number, boolean>> = {
      1: modes.applicationCursorKeys,
      6: modes.origin,
      7: modes.wraparound,
      9: modes.mouseProtocol === 'x10',
      25: !modes.cursorHidden,
      45: modes.reverseWraparound,
      47: isAlternate,
      66: modes.applicationKeypad,
      1000: modes.mouseProtocol === 'vt200',
      1002: modes.mouseProtocol === 'drag',
      1003: modes.mouseProtocol === 'any',
      1004: modes.sendFocus,
      1006: modes.mouseEncoding === 'sgr',
      1016: modes.mouseEncoding === 'sgr-pixels',
      1047: isAlternate,
      1048: true,
      1049: isAlternate,
      2004: modes.bracketedPaste,
      2026: modes.synchronizedOutput,
      2031: modes.colorSchemeUpdates,
    };
    // Kept for whoever attaches, but nothing here acts on them.
    const isTracked = number === 5 || number === 1007;
    const value = known[number] ?? (isTracked ? this.#options.tracked.mode(number) : undefined);
    return value === undefined ? Mode.unknown : value ? Mode.set : Mode.reset;
  }

  /** XTWINOPS. Reports of titles (20, 21) stay unanswered. */
  #windowReport(operation: number, which: number): string | undefined {
    const { columns, rows } = this.#options.engine;
    const { cellWidth, cellHeight } = this.#options.look();
    switch (operation) {
      case 11:
        return '\x1b[1t';
      case 13:
        return '\x1b[3;0;0t';
      case 14:
      case 15:
        if (operation === 14 && which !== 0 && which !== 2) return undefined;
        return `\x1b[${operation - 10};${rows * cellHeight};${columns * cellWidth}t`;
      case 16:
        return `\x1b[6;${cellHeight};${cellWidth}t`;
      case 18:
      case 19:
        return `\x1b[${operation - 10};${rows};${columns}t`;
      default:
        return undefined;
    }
  }

  #osc({ data, terminator }: ControlString, end: number): void {
    const reply = (text: string) => this.#options.answer(end, `\x1b]${text}${terminator}`);
    if (data === '7501;?') {
      reply(data);
      return;
    }
    const [number, ...slots] = data.split(';');
    if (number === '4') {
      for (let i = 0; i + 1 < slots.length; i += 2) {
        const index = /^\d{1,3}$/.test(slots[i] ?? '') ? Number(slots[i]) : 256;
        if (slots[i + 1] === '?' && index < 256) reply(`4;${index};${formatColor(this.#paletteColor(index))}`);
      }
    } else if (number === '10' || number === '11' || number === '12') {
      for (const [i, slot] of slots.entries()) {
        const color = slot === '?' ? this.#dynamicColor(Number(number) + i) : undefined;
        if (color !== undefined) reply(`${Number(number) + i};${formatColor(color)}`);
      }
    } else if (number === '99') this.#notificationQuery(slots, reply);
  }

  #paletteColor(index: number): Rgb {
    return parseColor(this.#options.tracked.palette.get(index) ?? '') ?? defaultPaletteColor(index);
  }

  #dynamicColor(number: number): Rgb | undefined {
    const set = parseColor(this.#options.tracked.dynamicColors.get(number) ?? '');
    if (set !== undefined) return set;
    const { foreground, background, cursor } = this.#options.look();
    return number === 10 ? foreground : number === 11 ? background : number === 12 ? cursor : undefined;
  }

  /** A program asks by `p=?` whether notifications of kitty's kind are understood; title and body are. */
  #notificationQuery([metadata = '']: readonly string[], reply: (text: string) => void): void {
    const keys = metadata.split(':');
    if (!keys.includes('p=?')) return;
    const id = keys.find((key) => /^i=[A-Za-z0-9_+.-]{1,64}$/.test(key)) ?? 'i=0';
    reply(`99;${id}:p=?;p=title,body:u=0,1,2:o=always`);
  }

  #dcs({ header, data }: ControlString, end: number): void {
    const request = `${header?.prefix ?? ''}${header?.intermediates ?? ''}${header?.final ?? ''}`;
    if (request === '$q') this.#options.answer(end, `\x1bP${this.#setting(data)}\x1b\\`);
    else if (request === '+q')
      for (const name of data.split(';').slice(0, 64)) this.#options.answer(end, capability(name));
  }

  /** DECRQSS. */
  #setting(request: string): string {
    const { engine } = this.#options;
    const { isAlternate, modes, pen } = engine.state();
    const { scrollTop, scrollBottom } = isAlternate ? engine.alternate() : engine.normal();
    switch (request) {
      case 'm':
        return `1$r${sgrOf(pen)}m`;
      case 'r':
        return `1$r${scrollTop + 1};${scrollBottom + 1}r`;
      case ' q': {
        const shape = { block: 1, underline: 3, bar: 5 }[modes.cursorStyle ?? 'block'];
        return `1$r${shape + (modes.cursorBlink === true ? 0 : 1)} q`;
      }
      case '"q':
        return `1$r${(pen.background & Background.isProtected) === 0 ? 0 : 1}"q`;
      case '"p':
        return '1$r62;1"p';
      case 't':
        return `1$r${engine.rows}t`;
      default:
        return '0$r';
    }
  }
}

/** VT220 with colour, and it sets the clipboard when told to. */
const primaryAttributes = '\x1b[?62;22;52c';

const capabilities: Readonly<Record<string, string>> = { TN: 'xterm-256color', Co: '256', colors: '256', RGB: '8' };

/** XTGETTCAP: names and values are in hexadecimal. */
function capability(hexName: string): string {
  if (!/^(?:[0-9a-f]{2}){1,32}$/i.test(hexName)) return '\x1bP0+r\x1b\\';
  const value = capabilities[Buffer.from(hexName, 'hex').toString('latin1')];
  if (value === undefined) return `\x1bP0+r${hexName}\x1b\\`;
  return `\x1bP1+r${hexName}=${Buffer.from(value, 'latin1').toString('hex').toUpperCase()}\x1b\\`;
}
