import { assert } from '../../base/index.ts';
import { ByteWriter } from './byte-writer.ts';
import { decodeUtf8 } from './decode-utf8.ts';

/** A control sequence taken apart: `CSI ? 1;2 $ p` is prefix `?`, params 1 and 2, intermediates `$`, final `p`. */
export interface ControlSequence {
  prefix: string;
  /** Absent ones are 0, as VT terminals have it. Sub-parameters (after a colon) are left out. */
  params: readonly number[];
  intermediates: string;
  final: string;
}

/** A string sequence that came to its proper end; aborted and oversized ones are never reported. */
export interface ControlString {
  kind: 'osc' | 'dcs' | 'apc';
  /** What a DCS says before its data. */
  header?: ControlSequence;
  data: string;
  /** How it ended, and so how an answer should. */
  terminator: '\x07' | '\x1b\\';
}

/**
 * Who takes what the scanner finds, in stream order. `end` is the offset after the last byte of the thing reported;
 * whatever was passed before a report has been passed by then.
 */
export interface ControlSink {
  /** Text, controls and whole escape and control sequences for the engine. A view valid during the call. */
  pass(bytes: Uint8Array): void;
  bell(end: number): void;
  /** A control sequence whose final byte is in `reportedFinals`; already passed. */
  sequence(sequence: ControlSequence, end: number): void;
  /** `ESC c` or `ESC Z`; already passed. */
  escape(final: string, end: number): void;
  string(string: ControlString, end: number): void;
}

/**
 * Longest string sequence that is read, introducer included. A longer one is dropped when it ends. It bounds what a
 * hostile program can make a screen hold, and is what a checkpoint taken inside a string may weigh.
 */
export const stringBytesMax = 256 * 1024;

/** Longest control or escape sequence that is read; a longer one is dropped. Terminals keep 32 parameters of at most 10 digits. */
export const controlBytesMax = 4096;

/**
 * Largest count REP is passed with. More has no effect that anyone wants, and the engine would be busy for minutes. The
 * others that are done over and over (scrolling, inserting and deleting lines, tabulation) are bounded by the size of
 * the screen, beyond which they change nothing; a line scrolled costs the engine some 10 µs.
 */
export const repeatMax = 1024;

const State = {
  ground: 0,
  /** In ground, with the first bytes of a character. */
  character: 1,
  escape: 2,
  escapeIntermediate: 3,
  csiEntry: 4,
  csiParam: 5,
  csiIntermediate: 6,
  csiIgnore: 7,
  osc: 8,
  dcsEntry: 9,
  dcsParam: 10,
  dcsIntermediate: 11,
  dcsIgnore: 12,
  dcsData: 13,
  /** SOS and PM: nothing in them means anything to us. */
  ignoredString: 14,
  apcEntry: 15,
  apcIntermediate: 16,
  apcData: 17,
  /** A string saw ESC, its end. What follows decides whether that ESC belongs to the terminator. */
  stringEscape: 18,
} as const;
type State = (typeof State)[keyof typeof State];

const esc = 0x1b;
/** Resets the engine's "last character" the way the end of a string does, and does nothing else. */
const neutral = new Uint8Array([0]);

/** Bytes that end a run of plain text: BEL, ESC, and the lead byte of C1 controls in UTF-8. */
const special = new Uint8Array(256);
special[0x07] = 1;
special[esc] = 1;
special[0xc2] = 1;

/** Final bytes of sequences that ask or that carry state no engine keeps; `m` only with a prefix. */
const reportedFinals = new Uint8Array(128);
for (const final of 'chlnpqtu') reportedFinals[final.charCodeAt(0)] = 1;

const repeatedFinals = new Uint8Array(128);
for (const final of 'bILMSTZ^') repeatedFinals[final.charCodeAt(0)] = 1;
/** `ESC [ 99 S`: any that is not longer is within bounds. */
const repeatedBytesMax = 5;

/**
 * Cuts terminal output into what the engine may see and what we read ourselves, with exact offsets.
 *
 * States and transitions are those of the engine's own parser, so that both agree where a sequence begins and ends.
 * Whatever is unfinished is held back: the engine is always between sequences and between characters, and `pending`
 * is exactly what a checkpoint has to append. Strings (OSC, DCS, APC, SOS, PM) never reach the engine. Controls
 * inside a control sequence are passed before it.
 */
export class ControlScanner {
  readonly #sink: ControlSink;
  readonly #size: () => { columns: number; rows: number };
  #state: State = State.ground;
  /** The unfinished sequence as it came, or its stand-in once it is too long. */
  readonly #held = new ByteWriter(256);
  /** The string state an ESC interrupted. */
  #stringKind: State = State.ground;
  #dataStart = 0;
  #isOversized = false;
  /** Controls met inside the unfinished sequence. */
  #embedded: number[] = [];
  #oversized = 0;
  // The character being decoded, bit by bit; `#characterBytes` of it are held.
  #characterBytes = 0;
  #missing = 0;
  #code = 0;
  #codeMin = 0;

  /** `size` is asked for the size of the screen as it is. */
  constructor(sink: ControlSink, size: () => { columns: number; rows: number }) {
    this.#sink = sink;
    this.#size = size;
  }

  /** Bytes of the unfinished sequence or character, since the last one that was passed or reported. A view valid until the next `push`. */
  get pending(): Uint8Array {
    return this.#held.view();
  }

  /** How many sequences were dropped for their length. */
  get oversized(): number {
    return this.#oversized;
  }

  push(bytes: Uint8Array, endOffset: number): void {
    const base = endOffset - bytes.length;
    const length = bytes.length;
    let at = this.#state === State.ground ? 0 : this.#slow(bytes, 0, base);
    let runStart = at;
    while (at < length) {
      while (at < length && special[bytes[at] as number] === 0) at++;
      if (at === length) break;
      const byte = bytes[at] as number;
      if (byte === 0x07) {
        this.#sink.bell(base + ++at);
        continue;
      }
      if (byte === 0xc2 && at + 1 < length) {
        const next = bytes[at + 1] as number;
        if (next < 0x80 || next > 0x9f) {
          at++;
          continue;
        }
      }
      const end = byte === esc ? this.#quickEnd(bytes, at) : 0;
      if (end > 0) {
        const final = bytes[end - 1] as number;
        if (repeatedFinals[final] === 1 && end - at > repeatedBytesMax && bytes[at + 1] === 0x5b) {
          this.#pass(bytes, runStart, at);
          this.#sink.pass(this.#bounded(bytes.subarray(at, end)));
          runStart = end;
        }
        if (bytes[at + 1] === 0x5b ? this.#isReported(bytes, at, final) : isReportedEscape(final)) {
          this.#pass(bytes, runStart, end);
          runStart = end;
          this.#report(bytes.subarray(at, end), base + end);
        }
        at = end;
        continue;
      }
      this.#pass(bytes, runStart, at);
      at = this.#slow(bytes, at, base);
      runStart = at;
    }
    if (this.#state !== State.ground) return;
    const whole = wholeCharactersEnd(bytes, runStart);
    this.#pass(bytes, runStart, whole);
    if (whole < length) this.#slow(bytes, whole, base);
  }

  /** End of a plain `ESC [ … final` or `ESC … final` that lies whole in `bytes`; 0 for anything else. */
  #quickEnd(bytes: Uint8Array, start: number): number {
    const limit = Math.min(bytes.length, start + controlBytesMax);
    let at = start + 1;
    if (at >= limit) return 0;
    let byte = bytes[at] as number;
    if (byte === 0x5b) {
      do {
        if (++at >= limit) return 0;
        byte = bytes[at] as number;
      } while (byte >= 0x20 && byte <= 0x3f);
      return byte >= 0x40 && byte <= 0x7e ? at + 1 : 0;
    }
    while (byte >= 0x20 && byte <= 0x2f) {
      if (++at >= limit) return 0;
      byte = bytes[at] as number;
    }
    if (byte < 0x30 || byte > 0x7e) return 0;
    if (at === start + 1 && isStringIntroducer(byte)) return 0;
    return at + 1;
  }

  #isReported(bytes: Uint8Array, start: number, final: number): boolean {
    if (reportedFinals[final] === 1) return true;
    return final === 0x6d && isPrefix(bytes[start + 2] as number);
  }

  /** Reports a whole sequence in 7-bit form that was passed. */
  #report(sequence: Uint8Array, end: number): void {
    if (sequence[1] !== 0x5b) {
      const final = sequence[1] as number;
      if (sequence.length === 2 && isReportedEscape(final)) this.#sink.escape(String.fromCharCode(final), end);
      return;
    }
    const parsed = parseSequence(sequence.subarray(2));
    if (parsed !== undefined) this.#sink.sequence(parsed, end);
  }

  /** A whole control sequence with its count bounded, if it is one of those that repeat. */
  #bounded(sequence: Uint8Array): Uint8Array {
    const parsed = parseSequence(sequence.subarray(2));
    if (parsed === undefined || parsed.prefix !== '' || parsed.intermediates !== '') return sequence;
    const { final, params } = parsed;
    if (repeatedFinals[final.charCodeAt(0)] === 0) return sequence;
    const { columns, rows } = this.#size();
    const max = final === 'b' ? repeatMax : final === 'I' || final === 'Z' ? columns : rows;
    return (params[0] ?? 0) <= max ? sequence : new TextEncoder().encode(`\x1b[${max}${final}`);
  }

  #pass(bytes: Uint8Array, start: number, end: number): void {
    if (end > start) this.#sink.pass(bytes.subarray(start, end));
  }

  /** Takes bytes one by one from `at` until ground is reached or they run out. Returns where it stopped. */
  #slow(bytes: Uint8Array, at: number, base: number): number {
    const length = bytes.length;
    do {
      const byte = bytes[at] as number;
      if (this.#missing > 0) {
        if ((byte & 0xc0) === 0x80) {
          at++;
          this.#holdCharacterByte(byte);
          this.#code = (this.#code << 6) | (byte & 0x3f);
          if (--this.#missing === 0) this.#characterDone(base + at);
          continue;
        }
        this.#forgetCharacter();
        if (this.#state === State.ground) break;
      }
      if (byte < 0x80) {
        const skipped = this.#skipStringData(bytes, at);
        if (skipped > at) {
          at = skipped;
          continue;
        }
        at++;
        this.#take(byte, base + at);
      } else {
        at++;
        this.#startCharacter(byte);
      }
    } while (at < length && this.#state !== State.ground);
    return at;
  }

  /** Holds a stretch of ordinary characters of a string at once. */
  #skipStringData(bytes: Uint8Array, start: number): number {
    if (this.#state !== State.osc && this.#state !== State.dcsData && this.#state !== State.apcData) return start;
    let at = start;
    while (at < bytes.length && (bytes[at] as number) >= 0x20 && (bytes[at] as number) < 0x7f) at++;
    if (at > start) this.#holdAll(bytes.subarray(start, at));
    return at;
  }

  /** A byte that can start no character is nothing, here and in the engine's decoder. */
  #startCharacter(lead: number): void {
    if ((lead & 0xe0) === 0xc0) this.#expect(1, lead & 0x1f, 0x80);
    else if ((lead & 0xf0) === 0xe0) this.#expect(2, lead & 0x0f, 0x800);
    else if ((lead & 0xf8) === 0xf0) this.#expect(3, lead & 0x07, 0x10000);
    else return;
    this.#characterBytes = 0;
    if (this.#state === State.ground) this.#state = State.character;
    this.#holdCharacterByte(lead);
  }

  #expect(missing: number, code: number, min: number): void {
    this.#missing = missing;
    this.#code = code;
    this.#codeMin = min;
  }

  #holdCharacterByte(byte: number): void {
    this.#characterBytes++;
    this.#hold(byte);
  }

  /** A broken character leaves nothing behind; the byte that broke it starts afresh. */
  #forgetCharacter(): void {
    this.#missing = 0;
    if (this.#state === State.character) this.#toGround();
    else if (!this.#isOversized) this.#held.truncate(this.#held.length - this.#characterBytes);
  }

  #characterDone(end: number): void {
    const code = this.#code;
    const isValid = code >= this.#codeMin && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfeff;
    if (!isValid) this.#forgetCharacter();
    else if (this.#state === State.character && code >= 0xa0) {
      this.#sink.pass(this.#held.view());
      this.#toGround();
    } else this.#take(code, end);
  }

  /** One code point, in any state but ground. The bytes of one above U+007F are held already. */
  #take(code: number, end: number): void {
    if (code >= 0x80 && code < 0xa0) this.#takeC1(code, end);
    else if (this.#state === State.stringEscape) this.#takeAfterString(code, end);
    else if (code >= 0xa0) {
      if (!this.#takesAnyCharacter()) this.#abort();
    } else if (code === esc) {
      if (this.#isReadString()) this.#endString();
      else this.#restart(esc);
    } else if (code === 0x18 || code === 0x1a) {
      this.#abort();
      this.#sink.pass(new Uint8Array([code]));
    } else this.#takeAscii(code, end);
  }

  #takeAscii(code: number, end: number): void {
    switch (this.#state) {
      case State.escape:
      case State.escapeIntermediate:
        this.#takeEscape(code, end);
        break;
      case State.csiEntry:
      case State.csiParam:
      case State.csiIntermediate:
      case State.csiIgnore:
        this.#takeCsi(code, end);
        break;
      case State.osc:
        this.#hold(code);
        if (code === 0x07) this.#dispatchString(State.osc, end, '\x07', 1);
        break;
      case State.dcsEntry:
      case State.dcsParam:
      case State.dcsIntermediate:
        this.#takeDcsHeader(code);
        break;
      case State.dcsIgnore:
      case State.dcsData:
      case State.apcData:
      case State.ignoredString:
        this.#hold(code);
        break;
      case State.apcEntry:
      case State.apcIntermediate:
        this.#takeApcHeader(code);
        break;
      default:
        assert(false, `Scanner takes nothing in state ${this.#state}`);
    }
  }

  /** OSC, DCS and APC data: what ends with a report. */
  #isReadString(): boolean {
    return this.#state === State.osc || this.#state === State.dcsData || this.#state === State.apcData;
  }

  /** Elsewhere a character above U+009F breaks the sequence off and is lost with it. */
  #takesAnyCharacter(): boolean {
    return this.#isReadString() || this.#state === State.dcsIgnore || this.#state === State.csiIgnore;
  }

  #endString(): void {
    this.#held.byte(esc);
    this.#stringKind = this.#state;
    this.#state = State.stringEscape;
  }

  #takeEscape(code: number, end: number): void {
    if (code < 0x20) this.#embed(code, end);
    else if (code < 0x30) {
      this.#hold(code);
      this.#state = State.escapeIntermediate;
    } else if (code < 0x7f) {
      this.#hold(code);
      const opens = this.#state === State.escape && (isStringIntroducer(code) || code === 0x5b);
      if (opens) this.#introduce(code);
      else this.#dispatchSequence(end);
    }
  }

  /** Enters the state that `ESC code`, or the C1 control in its place, opens. */
  #introduce(code: number): void {
    this.#dataStart = this.#held.length;
    switch (code) {
      case 0x5b:
        this.#state = State.csiEntry;
        return;
      case 0x5d:
        this.#state = State.osc;
        return;
      case 0x50:
        this.#state = State.dcsEntry;
        return;
      case 0x5f:
        this.#state = State.apcEntry;
        return;
      default:
        this.#state = State.ignoredString;
    }
  }

  #takeCsi(code: number, end: number): void {
    if (code === 0x7f) return;
    if (code < 0x20) {
      this.#embed(code, end);
      return;
    }
    this.#hold(code);
    if (code >= 0x40) {
      if (this.#state === State.csiIgnore) this.#abort();
      else this.#dispatchSequence(end);
    } else if (this.#state === State.csiIgnore) return;
    else if (code < 0x30) this.#state = State.csiIntermediate;
    else if (this.#state === State.csiIntermediate) this.#state = State.csiIgnore;
    else if (code >= 0x3c) this.#state = this.#state === State.csiEntry ? State.csiParam : State.csiIgnore;
    else this.#state = State.csiParam;
  }

  #takeDcsHeader(code: number): void {
    if (code < 0x20 || code === 0x7f) return;
    this.#hold(code);
    if (code >= 0x40) {
      this.#state = State.dcsData;
      this.#dataStart = this.#held.length;
    } else if (code < 0x30) this.#state = State.dcsIntermediate;
    else if (this.#state === State.dcsIntermediate) this.#state = State.dcsIgnore;
    else if (code >= 0x3c) this.#state = this.#state === State.dcsEntry ? State.dcsParam : State.dcsIgnore;
    else this.#state = State.dcsParam;
  }

  #takeApcHeader(code: number): void {
    if (code < 0x20 || code === 0x7f) return;
    this.#hold(code);
    if (code < 0x30) this.#state = State.apcIntermediate;
    else {
      this.#state = State.apcData;
      this.#dataStart = this.#held.length - 1;
    }
  }

  /** A C1 control, two bytes and held: opens a sequence, ends a string, or is executed wherever it stands. */
  #takeC1(code: number, end: number): void {
    if (this.#state === State.stringEscape) this.#dispatchString(this.#stringKind, end - 3, '\x1b\\', 3);
    else if (code === 0x9c && this.#isReadString()) {
      this.#dispatchString(this.#state, end, '\x1b\\', 2);
      return;
    }
    const opens = c1AsEscape(code);
    if (opens !== 0) {
      this.#restart(0xc2);
      this.#hold(code);
      this.#introduce(opens);
      return;
    }
    this.#abort();
    if (code !== 0x9c) this.#sink.pass(new Uint8Array([0xc2, code]));
  }

  /** After the ESC that ended a string: a backslash belongs to the terminator, anything else to a new sequence. */
  #takeAfterString(code: number, end: number): void {
    if (code === 0x5c) {
      this.#hold(code);
      this.#dispatchString(this.#stringKind, end, '\x1b\\', 2);
      return;
    }
    const width = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    this.#dispatchString(this.#stringKind, end - width - 1, '\x1b\\', width === 1 ? 1 : width + 1);
    this.#restart(esc);
    this.#take(code, end);
  }

  /** Forgets the sequence so far, but for the controls in it, and starts one with `first`. */
  #restart(first: number): void {
    this.#abort();
    this.#hold(first);
    this.#state = State.escape;
  }

  /** Back to ground without effect, but for the controls that were in between. */
  #abort(): void {
    this.#passEmbedded();
    this.#toGround();
  }

  #passEmbedded(): void {
    if (this.#embedded.length === 0) return;
    this.#sink.pass(new Uint8Array(this.#embedded));
    this.#embedded = [];
  }

  #toGround(): void {
    if (this.#isOversized) this.#oversized++;
    this.#isOversized = false;
    this.#held.clear();
    this.#missing = 0;
    this.#state = State.ground;
  }

  #dispatchSequence(end: number): void {
    this.#passEmbedded();
    const sequence = this.#isOversized ? undefined : canonical(this.#held.view());
    this.#toGround();
    if (sequence === undefined) return;
    this.#sink.pass(sequence[1] === 0x5b ? this.#bounded(sequence) : sequence);
    const final = sequence[sequence.length - 1] as number;
    if (sequence[1] !== 0x5b || this.#isReported(sequence, 0, final)) this.#report(sequence, end);
  }

  /** Ends a string of which the last `after` held bytes are not data. */
  #dispatchString(kind: State, end: number, terminator: ControlString['terminator'], after: number): void {
    const held = this.#isOversized ? undefined : this.#held.copy();
    const dataStart = this.#dataStart;
    this.#toGround();
    this.#sink.pass(neutral);
    if (held === undefined) return;
    const data = decodeUtf8(held.subarray(dataStart, held.length - after), kind === State.osc);
    if (kind === State.osc) this.#sink.string({ kind: 'osc', data, terminator }, end);
    else if (kind === State.apcData) this.#sink.string({ kind: 'apc', data, terminator }, end);
    else {
      const header = parseSequence(held.subarray(2, dataStart));
      if (header !== undefined) this.#sink.string({ kind: 'dcs', header, data, terminator }, end);
    }
  }

  /** A control inside a control or escape sequence: executed, and no part of it. */
  #embed(code: number, end: number): void {
    if (code === 0x07) this.#sink.bell(end);
    if (this.#isOversized) {
      this.#sink.pass(new Uint8Array([code]));
      return;
    }
    this.#embedded.push(code);
    this.#hold(code);
  }

  #hold(byte: number): void {
    if (this.#isOversized) return;
    this.#held.byte(byte);
    this.#bound();
  }

  #holdAll(bytes: Uint8Array): void {
    if (this.#isOversized) return;
    this.#held.bytes(bytes);
    this.#bound();
  }

  /** Puts a short stand-in, one that ends as the real one would and means nothing, in place of a sequence that is too long. */
  #bound(): void {
    const length = this.#held.length;
    if (length <= controlBytesMax) return;
    switch (this.#state) {
      case State.osc:
        if (length > stringBytesMax) this.#standIn('\x1b]x');
        break;
      case State.dcsData:
        if (length > stringBytesMax) this.#standIn('\x1bP0?');
        break;
      case State.apcData:
        if (length > stringBytesMax) this.#standIn('\x1b_~');
        break;
      case State.ignoredString:
        this.#standIn('\x1bX');
        break;
      case State.dcsEntry:
      case State.dcsParam:
      case State.dcsIntermediate:
      case State.dcsIgnore:
        this.#state = State.dcsIgnore;
        this.#standIn('\x1bP0?');
        break;
      case State.apcEntry:
      case State.apcIntermediate:
        this.#state = State.apcData;
        this.#standIn('\x1b_~');
        break;
      case State.csiEntry:
      case State.csiParam:
      case State.csiIntermediate:
      case State.csiIgnore:
        this.#state = State.csiIgnore;
        this.#standIn('\x1b[??');
        break;
      case State.stringEscape:
        break;
      default:
        // Intermediates, or controls, without end: no escape sequence has that many.
        this.#state = State.escapeIntermediate;
        this.#standIn('\x1b    ');
    }
  }

  #standIn(text: string): void {
    this.#isOversized = true;
    this.#passEmbedded();
    this.#held.clear();
    this.#held.ascii(text);
  }
}

/** Where the last whole character of `bytes` ends, not before `from`. */
function wholeCharactersEnd(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  for (let back = 1; back <= 3 && length - back >= from; back++) {
    const byte = bytes[length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = (byte & 0xe0) === 0xc0 ? 2 : (byte & 0xf0) === 0xe0 ? 3 : (byte & 0xf8) === 0xf0 ? 4 : 1;
    return needed > back ? length - back : length;
  }
  return length;
}

/** RIS and DECID. */
function isReportedEscape(final: number): boolean {
  return final === 0x63 || final === 0x5a;
}

function isPrefix(byte: number): boolean {
  return byte >= 0x3c && byte <= 0x3f;
}

/** P, X, ], ^ and _ after ESC. */
function isStringIntroducer(byte: number): boolean {
  return byte === 0x50 || byte === 0x58 || byte === 0x5d || byte === 0x5e || byte === 0x5f;
}

/** What stands after ESC in the 7-bit form of a C1 control that opens something; 0 for others. */
function c1AsEscape(code: number): number {
  switch (code) {
    case 0x90:
    case 0x98:
    case 0x9b:
    case 0x9d:
    case 0x9e:
    case 0x9f:
      return code - 0x40;
    default:
      return 0;
  }
}

/** A whole control or escape sequence in 7-bit form, without what stood in it and does not count. */
function canonical(held: Uint8Array): Uint8Array {
  const bytes = [esc];
  if (held[0] === 0xc2) bytes.push(0x5b);
  for (let i = held[0] === 0xc2 ? 2 : 1; i < held.length; i++) {
    const byte = held[i] as number;
    if (byte >= 0x20 && byte < 0x7f) bytes.push(byte);
  }
  return new Uint8Array(bytes);
}

/** Takes `? 1;2 $ p` apart; undefined when it is malformed. What does not count in it is skipped. */
function parseSequence(body: Uint8Array): ControlSequence | undefined {
  let prefix = '';
  let intermediates = '';
  const params = [0];
  let isFirst = true;
  let isSkipped = false;
  for (const byte of body) {
    if (byte < 0x20 || byte === 0x7f) continue;
    if (byte >= 0x40) return { prefix, params, intermediates, final: String.fromCharCode(byte) };
    if (byte < 0x30) intermediates += String.fromCharCode(byte);
    else if (intermediates !== '') return undefined;
    else if (byte >= 0x3c) {
      if (!isFirst) return undefined;
      prefix = String.fromCharCode(byte);
    } else if (byte === 0x3b) {
      isSkipped = params.length === paramsMax;
      if (!isSkipped) params.push(0);
    } else if (byte === 0x3a) isSkipped = true;
    else if (!isSkipped) {
      const last = params.length - 1;
      params[last] = Math.min((params[last] as number) * 10 + byte - 0x30, 0x7fffffff);
    }
    isFirst = false;
  }
  return undefined;
}

/** As many as the engine keeps; later ones are ignored. */
const paramsMax = 32;
