import type { ByteWriter } from './byte-writer.ts';
import { parseColor } from './color-spec.ts';
import type { ControlSequence } from './control-scanner.ts';

/** Longest title, folder or pointer name that is kept, in characters; longer ones are cut (a folder: ignored). */
export const textCharactersMax = 4096;
/** Titles a program may put aside; more push out the oldest. As in the engine. */
const titleStackMax = 10;

export interface Progress {
  state: 'normal' | 'error' | 'indeterminate' | 'paused';
  /** 0 to 100. */
  percent: number;
}

const progressStates = ['none', 'normal', 'error', 'indeterminate', 'paused'] as const;

/**
 * Private modes that terminals know and our engine does not, with their value on a fresh terminal. Others are not
 * kept: a program could invent them without end.
 */
const privateModes = new Map<number, boolean>([
  [5, false],
  [8, true],
  [12, false],
  [67, false],
  [1005, false],
  [1007, false],
  [1015, false],
  [1034, false],
  [1035, true],
  [1036, false],
  [1039, false],
  [1042, false],
  [1070, true],
  [2027, false],
]);

/** What a terminal remembers beside its screen and our engine does not: names, colours, key modifiers, a few modes. */
export class TrackedState {
  title = '';
  iconName = '';
  /** As the program gave it: a `file:` address. */
  cwd = '';
  pointer = '';
  progress: Progress | undefined;
  readonly #titles: string[] = [];
  readonly #iconNames: string[] = [];
  /** Colours 0 to 255. */
  readonly palette = new Map<number, string>();
  /** Foreground, background, cursor and the other dynamic colours, by the number of their OSC: 10 to 19. */
  readonly dynamicColors = new Map<number, string>();
  readonly modes = new Map<number, boolean>();
  /** XTMODKEYS: resource to value, -1 for switched off. 4 is modifyOtherKeys. */
  readonly keyModifiers = new Map<number, number>();

  /** Full reset (RIS). Titles, colours and the folder outlive it, as in the engine. */
  reset(): void {
    this.modes.clear();
    this.keyModifiers.clear();
  }

  /** Takes what a control sequence changes here; others are ignored. */
  sequence({ prefix, params, intermediates, final }: ControlSequence): void {
    if (intermediates !== '') return;
    if (prefix === '?' && (final === 'h' || final === 'l')) this.#setModes(params, final === 'h');
    else if (prefix === '>' && final === 'm') this.#setKeyModifiers(params);
    else if (prefix === '>' && final === 'n') this.keyModifiers.set((params[0] ?? 0) & 7, -1);
    else if (prefix === '' && final === 't') this.#moveTitles(params);
  }

  setTitle(title: string): void {
    this.title = title.slice(0, textCharactersMax);
  }

  setIconName(name: string): void {
    this.iconName = name.slice(0, textCharactersMax);
  }

  setCwd(address: string): void {
    if (address.length <= textCharactersMax) this.cwd = address;
  }

  setPointer(name: string): void {
    this.pointer = name.slice(0, textCharactersMax);
  }

  /** `4;state;percent` of OSC 9. Returns whether it was one. */
  setProgress(data: string): boolean {
    const [, state, percent = '0'] = /^4;([0-4])(?:;(\d{1,3}))?$/.exec(data) ?? [];
    const name = progressStates[Number(state ?? -1)];
    if (name === undefined) return false;
    const value = name === 'indeterminate' ? 0 : Math.min(100, Number(percent));
    this.progress = name === 'none' ? undefined : { state: name, percent: value };
    return true;
  }

  setPaletteColor(index: number, spec: string): void {
    if (Number.isInteger(index) && index >= 0 && index < 256 && parseColor(spec) !== undefined)
      this.palette.set(index, spec);
  }

  setDynamicColor(number: number, spec: string): void {
    if (number >= 10 && number <= 19 && parseColor(spec) !== undefined) this.dynamicColors.set(number, spec);
  }

  /** Whether a private mode is set; undefined when it is none of those kept here. */
  mode(number: number): boolean | undefined {
    return this.modes.get(number) ?? privateModes.get(number);
  }

  /** Writes what brings a fresh terminal here. */
  write(out: ByteWriter): void {
    this.#writeTitles(out);
    for (const [index, spec] of this.palette) out.ascii(`\x1b]4;${index};${spec}\x1b\\`);
    for (const [number, spec] of this.dynamicColors) out.ascii(`\x1b]${number};${spec}\x1b\\`);
    if (this.cwd !== '') writeText(out, 7, this.cwd);
    if (this.pointer !== '') writeText(out, 22, this.pointer);
    if (this.progress !== undefined)
      out.ascii(`\x1b]9;4;${progressStates.indexOf(this.progress.state)};${this.progress.percent}\x1b\\`);
    for (const [number, isSet] of this.modes) out.ascii(`\x1b[?${number}${isSet ? 'h' : 'l'}`);
    for (const [resource, value] of this.keyModifiers)
      out.ascii(value < 0 ? `\x1b[>${resource}n` : `\x1b[>${resource};${value}m`);
  }

  #setModes(params: readonly number[], isSet: boolean): void {
    for (const number of params) {
      const initial = privateModes.get(number);
      if (initial === undefined) continue;
      if (initial === isSet) this.modes.delete(number);
      else this.modes.set(number, isSet);
    }
  }

  #setKeyModifiers([resource = 0, ...values]: readonly number[]): void {
    if (resource > 7) return;
    const value = values[0];
    if (value !== undefined) this.keyModifiers.set(resource, value);
    else if (resource > 0) this.keyModifiers.delete(resource);
    else this.keyModifiers.clear();
  }

  /** XTWINOPS 22 and 23 put names aside and take them back. */
  #moveTitles([operation = 0, which = 0]: readonly number[]): void {
    if (operation === 22) {
      if (which === 0 || which === 2) push(this.#titles, this.title);
      if (which === 0 || which === 1) push(this.#iconNames, this.iconName);
    } else if (operation === 23) {
      if (which === 0 || which === 2) this.title = this.#titles.pop() ?? this.title;
      if (which === 0 || which === 1) this.iconName = this.#iconNames.pop() ?? this.iconName;
    }
  }

  #writeTitles(out: ByteWriter): void {
    for (const title of this.#titles) {
      writeText(out, 2, title);
      out.ascii('\x1b[22;2t');
    }
    for (const name of this.#iconNames) {
      writeText(out, 1, name);
      out.ascii('\x1b[22;1t');
    }
    if (this.title !== '' || this.#titles.length > 0) writeText(out, 2, this.title);
    if (this.iconName !== '' || this.#iconNames.length > 0) writeText(out, 1, this.iconName);
  }
}

function push(stack: string[], text: string): void {
  stack.push(text);
  if (stack.length > titleStackMax) stack.shift();
}

function writeText(out: ByteWriter, number: number, text: string): void {
  out.ascii(`\x1b]${number};`);
  out.text(text);
  out.ascii('\x1b\\');
}
