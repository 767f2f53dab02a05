/** One thing the keyboard said, in order. `bytes` are for the agent, the rest for us. */
export type KeyStep =
  | { type: 'bytes'; bytes: Uint8Array }
  | { type: 'detach' }
  | { type: 'tab'; tab: number }
  | { type: 'help' }
  /** After the prefix came a key that means nothing there; it goes nowhere. */
  | { type: 'nothing' };

/** A sequence longer than this is no key and is passed on as it is. */
const sequenceBytesMax = 64;
/** A paste that says nothing for so long has lost its end. */
const pasteSilenceMsMax = 1_000;

const escapeByte = 0x1b;
const pasteBegin = '200';
const pasteEnd = [...'\u001b[201~'].map((character) => character.charCodeAt(0));
const controlBit = 4;
const shiftBit = 1;
/** Caps lock and num lock say nothing about what was meant. */
const lockBits = 64 | 128;

/**
 * Finds the one key that is ours in what a keyboard sends, whatever form the terminal gives it: its control byte,
 * `CSI code;5u` (kitty) or `CSI 27;5;code~` (modifyOtherKeys), cut anywhere between reads. Everything else passes
 * untouched and in order; inside a paste everything does.
 *
 * `ground`: bytes pass. `holding`: the beginning of a sequence waits for its rest, or for `flush`. `armed`: the prefix
 * was pressed and the next key is ours. `paste`: between the marks of a bracketed paste. After `CSI M`, three raw bytes
 * of an old mouse report pass.
 */
export class PrefixKeys {
  readonly #byte: number;
  readonly #code: number;
  #held: number[] = [];
  #isArmed = false;
  #isPasting = false;
  #pasteEndSeen = 0;
  #rawLeft = 0;
  /** Continuation bytes of a swallowed character still to come. */
  #swallow = 0;
  /** Keys whose press was ours: the agent does not hear of their release either. */
  readonly #ourPresses = new Set<number>();
  #lastAt = 0;
  #steps: KeyStep[] = [];
  #passing: number[] = [];

  /** `prefix` as in the settings: `ctrl+` and one character. */
  constructor(prefix: string) {
    this.#code = prefix.charCodeAt(prefix.length - 1);
    this.#byte = this.#code & 0x1f;
  }

  /** A sequence has begun whose rest may or may not come: call `flush` when it does not come soon. */
  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** `now` is monotonic, in ms. */
  push(bytes: Uint8Array, now: number): KeyStep[] {
    if (this.#isPasting && now - this.#lastAt > pasteSilenceMsMax) this.#isPasting = false;
    this.#lastAt = now;
    for (const byte of bytes) this.#take(byte);
    return this.#given();
  }

  /** What was held is a key of its own after all, such as Esc. */
  flush(): KeyStep[] {
    this.#release();
    return this.#given();
  }

  #take(byte: number): void {
    if (this.#rawLeft > 0) {
      this.#rawLeft--;
      this.#passing.push(byte);
    } else if (this.#isPasting) this.#takePasted(byte);
    else if (this.#held.length > 0) this.#takeHeld(byte);
    else if (byte === escapeByte) this.#held.push(byte);
    else this.#key(byte);
  }

  #takePasted(byte: number): void {
    this.#passing.push(byte);
    if (byte !== pasteEnd[this.#pasteEndSeen]) this.#pasteEndSeen = 0;
    if (byte === pasteEnd[this.#pasteEndSeen]) this.#pasteEndSeen++;
    if (this.#pasteEndSeen < pasteEnd.length) return;
    this.#pasteEndSeen = 0;
    this.#isPasting = false;
  }

  #takeHeld(byte: number): void {
    const isIntroducer = this.#held.length === 1 && byte === 0x5b;
    const isParameter = this.#held.length > 1 && byte >= 0x20 && byte <= 0x3f && this.#held.length < sequenceBytesMax;
    const isFinal = this.#held.length > 1 && byte >= 0x40 && byte <= 0x7e;
    if (isIntroducer || isParameter) this.#held.push(byte);
    else if (isFinal) this.#sequence([...this.#held.splice(0), byte]);
    else {
      this.#release();
      this.#take(byte);
    }
  }

  /** Passes what is held. A lone Esc after the prefix only takes the prefix back. */
  #release(): void {
    const held = this.#held.splice(0);
    if (this.#isArmed && held.length === 1) this.#disarm({ type: 'nothing' });
    else this.#passing.push(...held);
  }

  #key(byte: number): void {
    if (this.#swallow > 0 && byte >= 0x80 && byte < 0xc0) {
      this.#swallow--;
      return;
    }
    this.#swallow = 0;
    if (!this.#isArmed && byte !== this.#byte) this.#passing.push(byte);
    else if (!this.#isArmed) this.#isArmed = true;
    else if (byte === this.#byte) this.#pass([byte]);
    else {
      this.#swallow = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
      this.#disarm(meaningOf(String.fromCharCode(byte)));
    }
  }

  #sequence(bytes: number[]): void {
    const text = String.fromCharCode(...bytes.slice(2));
    if (text === `${pasteBegin}~`) {
      this.#isPasting = true;
      this.#passing.push(...bytes);
      return;
    }
    if (text === 'M') this.#rawLeft = 3;
    const key = keyOf(text);
    if (key === null) {
      const isReport = /^[IOM<]|[Mmt]$/.test(text);
      if (this.#isArmed && !isReport) this.#disarm({ type: 'nothing' });
      else this.#passing.push(...bytes);
    } else if (key.isRelease) {
      if (!this.#ourPresses.delete(key.code)) this.#passing.push(...bytes);
    } else if (this.#isPrefix(key)) {
      if (this.#isArmed) this.#pass(bytes);
      else {
        this.#isArmed = true;
        this.#ourPresses.add(key.code);
      }
    } else if (!this.#isArmed) this.#passing.push(...bytes);
    else if (!isModifierKey(key.code)) {
      this.#ourPresses.add(key.code);
      this.#disarm(key.modifiers === 0 || key.modifiers === shiftBit ? meaningOf(key.text) : { type: 'nothing' });
    }
  }

  #isPrefix({ code, shifted, modifiers }: Key): boolean {
    const isPlain = code === this.#code && modifiers === controlBit;
    return isPlain || (shifted === this.#code && modifiers === (controlBit | shiftBit));
  }

  /** The prefix pressed twice is the agent's, in the form it came. */
  #pass(bytes: readonly number[]): void {
    this.#isArmed = false;
    this.#ourPresses.clear();
    this.#passing.push(...bytes);
  }

  #disarm(step: KeyStep): void {
    this.#isArmed = false;
    this.#settle();
    this.#steps.push(step);
  }

  #settle(): void {
    if (this.#passing.length > 0) this.#steps.push({ type: 'bytes', bytes: Uint8Array.from(this.#passing.splice(0)) });
  }

  #given(): KeyStep[] {
    this.#settle();
    return this.#steps.splice(0);
  }
}

interface Key {
  code: number;
  /** What the key gives with Shift, where the terminal tells. */
  shifted: number | null;
  /** Bits: shift 1, alt 2, ctrl 4, super 8, hyper 16, meta 32. */
  modifiers: number;
  isRelease: boolean;
  text: string;
}

/** `code[:shifted[:base]];modifiers[:event];text u` of the kitty protocol, or `27;modifiers;code ~`. */
function keyOf(text: string): Key | null {
  const kitty = /^(\d+)(?::(\d*))?(?::\d*)?(?:;(\d*)(?::(\d+))?)?(?:;([\d:]*))?u$/.exec(text);
  const other = /^27;(\d+);(\d+)~$/.exec(text);
  if (kitty === null && other === null) return null;
  const code = Number(kitty?.[1] ?? other?.[2]);
  const shifted = kitty?.[2] ? Number(kitty[2]) : null;
  const modifiers = (Number(kitty?.[3] || other?.[1] || 1) - 1) & ~lockBits;
  const isShifted = (modifiers & shiftBit) !== 0 && shifted !== null;
  const typed = kitty?.[5] ? Number(kitty[5].split(':')[0]) : isShifted ? shifted : code;
  return {
    code,
    shifted,
    modifiers,
    isRelease: kitty?.[4] === '3',
    text: String.fromCodePoint(Math.min(typed, 0x10ffff)),
  };
}

/** Shift and its like as keys of their own, which kitty can report. */
function isModifierKey(code: number): boolean {
  return (code >= 57_358 && code <= 57_360) || (code >= 57_441 && code <= 57_454);
}

function meaningOf(key: string): KeyStep {
  if (key >= '1' && key <= '9') return { type: 'tab', tab: Number(key) };
  if (key === 'd') return { type: 'detach' };
  return key === '?' ? { type: 'help' } : { type: 'nothing' };
}
