import { StringDecoder } from 'node:string_decoder';
import { plainText } from '../client/index.ts';

type State = 'text' | 'carriageReturn' | 'escape' | 'escapeIntermediate' | 'sequence' | 'string' | 'stringEscape';

/** Parameters of a sequence beyond this are forgotten; real ones are far shorter. */
const parametersLengthMax = 64;
/** A jump to the right beyond this is not worth so many spaces. */
const spacesMax = 200;

/**
 * What a terminal was sent, as plain text: sequences are dropped, moves to another place become a line break and moves
 * to the right become spaces, so that words stay apart. Nothing that comes out can act in a terminal. Takes pieces cut
 * anywhere.
 */
export class TerminalText {
  readonly #decoder = new StringDecoder('utf8');
  #state: State = 'text';
  #parameters = '';
  #isAtLineStart = true;
  #out = '';

  push(bytes: Uint8Array): string {
    const text = this.#decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    let from = -1;
    for (let at = 0; at < text.length; at++) {
      const isPlain = this.#state === 'text' && !isControl(text.charCodeAt(at));
      if (isPlain && from < 0) from = at;
      if (isPlain) continue;
      if (from >= 0) this.#emit(text.slice(from, at));
      from = -1;
      this.#step(text.charAt(at));
    }
    if (from >= 0) this.#emit(text.slice(from));
    const out = this.#out;
    this.#out = '';
    return out;
  }

  #step(character: string): void {
    switch (this.#state) {
      case 'carriageReturn':
        this.#state = 'text';
        if (character === '\n') return this.#emit('\n');
        if (character === '\r') return this.#enter('carriageReturn');
        this.#break();
        return this.#ground(character);
      case 'text':
        return this.#ground(character);
      case 'escape':
        if (character === '[') return this.#enter('sequence');
        if (']PX^_'.includes(character)) return this.#enter('string');
        if (/[ -/]/.test(character)) return this.#enter('escapeIntermediate');
        return this.#enter(character === '\u001b' ? 'escape' : 'text');
      case 'escapeIntermediate':
        return this.#enter(character === '\u001b' ? 'escape' : /[ -/]/.test(character) ? 'escapeIntermediate' : 'text');
      case 'sequence':
        return this.#sequence(character);
      case 'string':
        if ('\u0007\u009c\u0018\u001a'.includes(character)) return this.#enter('text');
        return this.#enter(character === '\u001b' ? 'stringEscape' : 'string');
      case 'stringEscape':
        this.#state = 'escape';
        return character === '\\' ? this.#enter('text') : this.#step(character);
    }
  }

  #ground(character: string): void {
    if (character === '\u001b') this.#enter('escape');
    else if (character === '\r') this.#enter('carriageReturn');
    else if (character === '\u009b') this.#enter('sequence');
    else if ('\u0090\u0098\u009d\u009e\u009f'.includes(character)) this.#enter('string');
    else if (character === '\b') return;
    else this.#emit(character);
  }

  #sequence(character: string): void {
    if (character === '\u001b') return this.#enter('escape');
    if (character === '\u0018' || character === '\u001a') return this.#enter('text');
    if (/[ -?]/.test(character)) {
      if (this.#parameters.length < parametersLengthMax) this.#parameters += character;
      return;
    }
    const count = Math.min(Math.max(1, Number.parseInt(this.#parameters, 10) || 1), spacesMax);
    this.#enter('text');
    if (character === 'C') this.#emit(' '.repeat(count));
    else if ('ABEFHdfJ'.includes(character)) this.#break();
  }

  #enter(state: State): void {
    this.#state = state;
    this.#parameters = '';
  }

  #break(): void {
    if (!this.#isAtLineStart) this.#emit('\n');
  }

  #emit(text: string): void {
    const plain = plainText(text);
    if (plain === '') return;
    this.#isAtLineStart = plain.endsWith('\n');
    this.#out += plain;
  }
}

function isControl(code: number): boolean {
  return code < 0x20 ? code !== 0x0a && code !== 0x09 : code >= 0x7f && code <= 0x9f;
}
