type State = 'text' | 'escape' | 'sequence' | 'string' | 'stringEscape' | 'title' | 'titleEscape';

/** A sequence that is longer is passed on without being understood. */
const heldBytesMax = 32;

/**
 * Takes the window title out of what an agent prints, since an attached terminal's title is ours: OSC 0, 1 and 2, and
 * the saving and restoring of titles. All else passes untouched, cut anywhere. It also knows when something of our own
 * may be written in between.
 */
export class TitleFilter {
  #state: State = 'text';
  #held: number[] = [];
  #charactersLeft = 0;

  /** Nothing is half printed: no sequence, no string, no character. */
  get isAtRest(): boolean {
    return this.#state === 'text' && this.#charactersLeft === 0;
  }

  /** A view of the input where nothing had to be taken out. */
  filter(bytes: Uint8Array): Uint8Array {
    if (this.#state === 'text' && !bytes.includes(0x1b)) {
      this.#countCharacter(bytes);
      return bytes;
    }
    const out: number[] = [];
    for (const byte of bytes) this.#take(byte, out);
    return Uint8Array.from(out);
  }

  #take(byte: number, out: number[]): void {
    switch (this.#state) {
      case 'text':
        if (byte === 0x1b) return this.#hold('escape', byte);
        this.#countCharacter([byte]);
        out.push(byte);
        return;
      case 'escape':
        if (byte === 0x1b) return this.#pass('escape', out, byte);
        if (byte === 0x5b || byte === 0x5d) return this.#hold('sequence', byte);
        return this.#pass(
          'PX^_'.includes(String.fromCharCode(byte)) ? 'string' : byte < 0x30 ? 'escape' : 'text',
          out,
          byte,
        );
      case 'sequence':
        return this.#held[1] === 0x5d ? this.#takeCommand(byte, out) : this.#takeControl(byte, out);
      case 'string':
      case 'title':
        if (this.#state === 'string') out.push(byte);
        if (byte === 0x07 || byte === 0x18 || byte === 0x1a) this.#state = 'text';
        else if (byte === 0x1b) this.#state = this.#state === 'string' ? 'stringEscape' : 'titleEscape';
        return;
      case 'stringEscape':
        out.push(byte);
        this.#state = byte === 0x5c ? 'text' : byte === 0x1b ? 'stringEscape' : 'string';
        return;
      case 'titleEscape':
        this.#state = byte === 0x5c ? 'text' : byte === 0x1b ? 'titleEscape' : 'title';
        return;
    }
  }

  /** `ESC ]`, digits, `;`. */
  #takeCommand(byte: number, out: number[]): void {
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (isDigit && this.#held.length < heldBytesMax) return this.#hold('sequence', byte);
    const command = String.fromCharCode(...this.#held.slice(2));
    if (byte === 0x3b && /^0*[012]$/.test(command)) {
      this.#held = [];
      this.#state = 'title';
    } else {
      this.#pass('string', out);
      this.#take(byte, out);
    }
  }

  /** `ESC [`, parameters, a final byte. */
  #takeControl(byte: number, out: number[]): void {
    if (byte === 0x1b) return this.#pass('escape', out, byte);
    if (byte >= 0x20 && byte <= 0x3f && this.#held.length < heldBytesMax) return this.#hold('sequence', byte);
    const parameters = String.fromCharCode(...this.#held.slice(2));
    if (byte === 0x74 && /^2[23](;|$)/.test(parameters)) {
      this.#held = [];
      this.#state = 'text';
    } else this.#pass('text', out, byte);
  }

  #hold(state: State, byte: number): void {
    this.#held.push(byte);
    this.#state = state;
  }

  /** Gives out what was held; an Esc that follows begins anew. */
  #pass(state: State, out: number[], byte?: number): void {
    out.push(...this.#held);
    this.#held = [];
    this.#state = state;
    if (byte === undefined) return;
    if (byte === 0x1b && state === 'escape') this.#held.push(byte);
    else if (state === 'escape') this.#held.push(byte);
    else out.push(byte);
  }

  #countCharacter(bytes: ArrayLike<number>): void {
    for (let at = Math.max(0, bytes.length - 4); at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0xc0) this.#charactersLeft = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      else if (byte >= 0x80) this.#charactersLeft = Math.max(0, this.#charactersLeft - 1);
      else this.#charactersLeft = 0;
    }
  }
}
