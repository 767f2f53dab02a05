type State = 'text' | 'string' | 'title';

/** A sequence, from its Esc: where it ends, what follows it, whether it is one we keep for ourselves. */
interface Found {
  end: number;
  state: State;
  isOurs: boolean;
}

/** A sequence that is longer is passed on without being understood. */
const sequenceBytesMax = 32;
const noBytes = new Uint8Array(0);
const escapeByte = 0x1b;
/**
 * Takes the window title out of what an agent prints, since an attached terminal's title is ours: OSC 0, 1 and 2, and
 * the saving and restoring of titles. All else passes untouched, cut anywhere; a sequence whose rest has not come is
 * kept back until it has. It also knows when something of our own may be written in between.
 *
 * `text`: characters and whole sequences. `string`: inside an OSC, DCS or the like that passes. `title`: inside one
 * that does not.
 */
export class TitleFilter {
  #state: State = 'text';
  #held: Uint8Array = noBytes;
  #charactersLeft = 0;

  /** Nothing is half printed: no sequence, no string, no character. */
  get isAtRest(): boolean {
    return this.#state === 'text' && this.#held.length === 0 && this.#charactersLeft === 0;
  }

  /** The input itself where nothing had to be taken out. */
  filter(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.length === 0 ? chunk : joined([this.#held, chunk]);
    this.#held = noBytes;
    const parts: Uint8Array[] = [];
    let given = 0;
    for (let at = 0; at < bytes.length; ) {
      const before = this.#state;
      const from = before === 'text' ? nextToRead(bytes, at) : at;
      if (before === 'text') this.#countCharacter(bytes, at, from);
      if (from === bytes.length) break;
      const found = before === 'text' ? readSequence(bytes, from) : endOfString(bytes, from, before);
      if (found === null || found.end > bytes.length) {
        const held = found === null ? from : bytes.length - 1;
        if (before !== 'title') parts.push(bytes.subarray(given, held));
        this.#held = new Uint8Array(bytes.subarray(held));
        return joined(parts);
      }
      if (found.isOurs) {
        parts.push(bytes.subarray(given, from));
        given = found.end;
      }
      this.#state = found.state;
      at = found.end;
    }
    if (parts.length === 0 && given === 0) return bytes;
    parts.push(bytes.subarray(given));
    return joined(parts);
  }

  /** How much of the last character is missing, from the text between two places. */
  #countCharacter(bytes: Uint8Array, from: number, to: number): void {
    for (let at = Math.max(from, to - 4); at < to; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0xc0) this.#charactersLeft = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      else if (byte >= 0x80) this.#charactersLeft = Math.max(0, this.#charactersLeft - 1);
      else this.#charactersLeft = 0;
    }
  }
}

/**
 * The first Esc that needs reading, or the end: text and the common sequences (`ESC [ … final`, but for `t`) are passed
 * over here, at 2.5 ns a byte, since every byte an agent prints comes by.
 */
function nextToRead(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  const first = bytes.indexOf(escapeByte, from);
  for (let at = first < 0 ? length : first; at < length; at++) {
    if (bytes[at] !== escapeByte) continue;
    if (bytes[at + 1] !== 0x5b) return at;
    let end = at + 2;
    while (end < length && (bytes[end] ?? 0) >= 0x20 && (bytes[end] ?? 0) <= 0x3f) end++;
    const final = bytes[end] ?? 0;
    if (end === length || final === 0x74 || final < 0x40 || final > 0x7e) return at;
    at = end;
  }
  return length;
}

/** Null while its rest has not come. */
function readSequence(bytes: Uint8Array, start: number): Found | null {
  const passed = (end: number, state: State = 'text'): Found => ({ end, state, isOurs: false });
  const kind = bytes[start + 1];
  if (kind === undefined) return null;
  if (kind === 0x5b) {
    const end = skip(bytes, start + 2, 0x20, 0x3f);
    if (end === bytes.length && end - start < sequenceBytesMax) return null;
    const final = bytes[end] ?? 0;
    if (final === 0x74 && /^2[23](;[012])?$/.test(textOf(bytes, start + 2, end)))
      return { end: end + 1, state: 'text', isOurs: true };
    return passed(final >= 0x40 && final <= 0x7e ? end + 1 : end);
  }
  if (kind === 0x5d) {
    const end = skip(bytes, start + 2, 0x30, 0x39);
    if (end === bytes.length && end - start < sequenceBytesMax) return null;
    const isTitle = bytes[end] === 0x3b && /^0*[012]$/.test(textOf(bytes, start + 2, end));
    return isTitle ? { end: end + 1, state: 'title', isOurs: true } : passed(end, 'string');
  }
  if (kind === 0x50 || kind === 0x58 || kind === 0x5e || kind === 0x5f) return passed(start + 2, 'string');
  if (kind === escapeByte) return passed(start + 1);
  const end = skip(bytes, start + 1, 0x20, 0x2f);
  return end === bytes.length ? null : passed(end + 1);
}

/** Ends with BEL, ST, CAN or SUB, which belong to it, or where an Esc begins something else. Beyond the bytes when an Esc is their last. */
function endOfString(bytes: Uint8Array, from: number, state: State): Found {
  const isOurs = state === 'title';
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x07 || byte === 0x18 || byte === 0x1a) return { end: at + 1, state: 'text', isOurs };
    if (byte !== escapeByte) continue;
    if (at + 1 === bytes.length) return { end: bytes.length + 1, state, isOurs };
    return { end: bytes[at + 1] === 0x5c ? at + 2 : at, state: 'text', isOurs };
  }
  return { end: bytes.length, state, isOurs };
}

/** The first place from `at` on whose byte is not within the range. */
function skip(bytes: Uint8Array, at: number, least: number, most: number): number {
  let end = at;
  while (end < bytes.length && (bytes[end] ?? 0) >= least && (bytes[end] ?? 0) <= most) end++;
  return end;
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, from + sequenceBytesMax)));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
