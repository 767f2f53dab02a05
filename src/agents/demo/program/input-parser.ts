import { StringDecoder } from 'node:string_decoder';

export type Key =
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backspace'
  | 'delete'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'page-up'
  | 'page-down'
  | 'clear-line'
  | 'clear-word'
  | 'interrupt';

export type Input =
  | { kind: 'key'; key: Key }
  | { kind: 'text'; text: string }
  | { kind: 'paste'; text: string }
  | { kind: 'answer'; to: 'status' | 'device-attributes' };

/** Characters of one paste that are kept; the rest of a longer one is dropped. */
export const pasteLengthMax = 4 * 1024 * 1024;
/** A longer escape sequence is none: its first byte is dropped and the rest read as text. */
const sequenceLengthMax = 8192;
/** A lone Esc is told from the beginning of a sequence by the pause behind it. */
const escapePauseMs = 40;

const pasteEnd = '\x1b[201~';

/** Makes keys, text, pastes and answers of the terminal out of raw bytes, wherever these are cut. */
export class InputParser implements Disposable {
  #decoder = new StringDecoder('utf8');
  #onInput: (input: Input) => void;
  #rest = '';
  /** Parts of the paste under way. */
  #paste: string[] | null = null;
  #pasteLength = 0;
  #pause: NodeJS.Timeout | null = null;

  constructor(onInput: (input: Input) => void) {
    this.#onInput = onInput;
  }

  push(bytes: Buffer): void {
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = null;
    this.#rest += this.#decoder.write(bytes);
    this.#parse();
    if (this.#rest !== '' && this.#paste === null) this.#pause = setTimeout(() => this.#giveUp(), escapePauseMs);
  }

  [Symbol.dispose](): void {
    if (this.#pause !== null) clearTimeout(this.#pause);
  }

  #parse(): void {
    while (this.#rest !== '') {
      const before = this.#rest.length;
      if (this.#paste !== null) this.#parsePaste(this.#paste);
      else if (this.#rest.startsWith('\x1b')) this.#parseSequence();
      else this.#parseText();
      if (this.#rest.length === before) return;
    }
  }

  #parseText(): void {
    const text = /^[^\x00-\x1f\x7f]+/.exec(this.#rest)?.[0];
    if (text !== undefined) {
      this.#take(text.length, { kind: 'text', text });
      return;
    }
    const key = controlKeys.get(this.#rest.charAt(0));
    this.#take(1, key === undefined ? null : { kind: 'key', key });
  }

  #parseSequence(): void {
    const whole = wholeSequence.exec(this.#rest)?.[0];
    if (whole !== undefined) {
      if (whole === '\x1b[200~') {
        this.#paste = [];
        this.#pasteLength = 0;
      }
      this.#take(whole.length, meaningOf(whole));
    } else if (!halfSequence.test(this.#rest) || this.#rest.length > sequenceLengthMax) {
      this.#take(1, { kind: 'key', key: 'escape' });
    }
  }

  #parsePaste(parts: string[]): void {
    const end = this.#rest.indexOf(pasteEnd);
    const until = end === -1 ? Math.max(0, this.#rest.length - pasteEnd.length + 1) : end;
    const part = this.#rest.slice(0, Math.min(until, pasteLengthMax - this.#pasteLength));
    parts.push(part);
    this.#pasteLength += part.length;
    this.#rest = this.#rest.slice(until);
    if (end === -1) return;
    this.#paste = null;
    this.#take(pasteEnd.length, { kind: 'paste', text: parts.join('') });
  }

  /** Nothing followed a lone Esc or half a sequence: it was the key. */
  #giveUp(): void {
    this.#take(1, { kind: 'key', key: 'escape' });
    this.#parse();
  }

  #take(length: number, input: Input | null): void {
    this.#rest = this.#rest.slice(length);
    if (input !== null) this.#onInput(input);
  }
}

/** CSI, SS3, or one of the string sequences with its terminator. */
const wholeSequence = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\))/;
/** The beginning of one of them. */
const halfSequence = /^\x1b(?:\[[0-?]*[ -/]*|O|[\]P_^X][^\x07\x1b]*\x1b?)?$/;

const controlKeys = new Map<string, Key>([
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\t', 'tab'],
  ['\x7f', 'backspace'],
  ['\b', 'backspace'],
  ['\x01', 'home'],
  ['\x05', 'end'],
  ['\x15', 'clear-line'],
  ['\x17', 'clear-word'],
  ['\x03', 'interrupt'],
]);

const sequenceKeys = new Map<string, Key>([
  ...(['[', 'O'] as const).flatMap((kind): [string, Key][] => [
    [`\x1b${kind}A`, 'up'],
    [`\x1b${kind}B`, 'down'],
    [`\x1b${kind}C`, 'right'],
    [`\x1b${kind}D`, 'left'],
    [`\x1b${kind}H`, 'home'],
    [`\x1b${kind}F`, 'end'],
  ]),
  ['\x1b[3~', 'delete'],
  ['\x1b[5~', 'page-up'],
  ['\x1b[6~', 'page-down'],
]);

function meaningOf(sequence: string): Input | null {
  const key = sequenceKeys.get(sequence);
  if (key !== undefined) return { kind: 'key', key };
  if (/^\x1b\]7501;\?/.test(sequence)) return { kind: 'answer', to: 'status' };
  if (/^\x1b\[\?[\d;]*c$/.test(sequence)) return { kind: 'answer', to: 'device-attributes' };
  return null;
}
