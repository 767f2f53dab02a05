/**
 * Takes out of a session's output, on its way to a person's own terminal, whatever would make that terminal answer:
 * the daemon's screen has answered already, and a second answer would be typed into the program. Everything else
 * passes unchanged, controls inside a sequence that is taken out included.
 *
 * Sequences may be cut anywhere: one that is unfinished is held back until it is known to ask nothing, which for long
 * strings is after their first few bytes. A checkpoint goes through the same filter as the output after it, since a
 * query may begin in the one and end in the other.
 */
export interface QueryFilter {
  /** What may be shown of `bytes` and of what was held before. May be `bytes` itself, else a copy. */
  filter(bytes: Uint8Array): Uint8Array;
}

export function createQueryFilter(): QueryFilter {
  return new Filter();
}

class Filter implements QueryFilter {
  /** Start of what is not decided yet. */
  #held: Uint8Array = none;
  #string: StringFate | undefined;
  /** What is held follows right on a string that passed without its terminator. */
  #isAfterOpenString = false;

  filter(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.length === 0 ? chunk : concat([this.#held, chunk]);
    this.#held = none;
    const { length } = bytes;
    const shown: Uint8Array[] = [];
    let runStart = 0;
    let at = 0;
    let openStringEnd = this.#isAfterOpenString ? 0 : -1;
    this.#isAfterOpenString = false;
    const leaveOut = (end: number, instead: Uint8Array = none) => {
      if (at > runStart) shown.push(bytes.subarray(runStart, at));
      if (instead.length > 0) shown.push(instead);
      runStart = end;
      at = end;
    };
    while (at < length) {
      if (this.#string !== undefined) {
        const stop = stopOf(bytes, at, this.#string.isOsc);
        if (this.#string.passes) at = stop;
        else leaveOut(stop);
        if (stop === length) break;
        const end = endOfTerminator(bytes, stop);
        if (end === undefined) {
          this.#held = bytes.slice(stop);
          leaveOut(length);
          break;
        }
        if (!this.#string.passes) leaveOut(end);
        else if (end === stop) openStringEnd = stop;
        at = end;
        this.#string = undefined;
        continue;
      }
      while (at < length && special[bytes[at] as number] === 0) at++;
      if (at === length) break;
      const plainEnd = bytes[at] === esc ? endOfPlainControl(bytes, at) : 0;
      if (plainEnd > 0) {
        at = plainEnd;
        continue;
      }
      const verdict = judge(bytes, at);
      if (verdict === 'unfinished') {
        this.#held = bytes.slice(at);
        this.#isAfterOpenString = at === openStringEnd;
        leaveOut(length);
        break;
      }
      this.#string = verdict.string;
      if (verdict.instead === undefined) at = verdict.end;
      // What would have ended the string is not shown: it must not go on into what comes next.
      else leaveOut(verdict.end, at === openStringEnd ? concat([stringTerminator, verdict.instead]) : verdict.instead);
    }
    if (runStart === 0) return bytes;
    if (runStart < length) shown.push(bytes.subarray(runStart));
    return shown.length === 1 ? (shown[0] as Uint8Array) : concat(shown);
  }
}

/** Longest control sequence and string that are held back; beyond it the one is dropped as far as it came, the other whole. */
const controlBytesMax = 4096;
const stringBytesMax = 16 * 1024;
/** Enough of a string to know what nearly all of them are. */
const headCharacters = 64;

interface StringFate {
  passes: boolean;
  /** BEL ends it. */
  isOsc: boolean;
}

interface Verdict {
  end: number;
  /** Shown in place of the bytes up to `end`; undefined if those pass. */
  instead?: Uint8Array;
  /** The bytes from `end` on are inside a string. */
  string?: StringFate;
}

const none = new Uint8Array(0);
const stringTerminator = new Uint8Array([0x1b, 0x5c]);
const esc = 0x1b;
/** First byte of a C1 control in UTF-8. */
const c1Lead = 0xc2;
/** Whether a byte after `c1Lead` makes a C1 control. */
const isC1 = (byte: number) => byte >= 0x80 && byte <= 0x9f;
/** Asks for the answerback message. */
const enq = 0x05;

const special = new Uint8Array(256);
for (const byte of [esc, c1Lead, enq]) special[byte] = 1;

/** Final bytes of the control sequences some of which ask. */
const suspects = new Uint8Array(128);
for (const final of 'RScmnpqtuvwxy|') suspects[final.charCodeAt(0)] = 1;

/** End of a control sequence that lies whole in `bytes`, is well formed and cannot ask; 0 for anything else. */
function endOfPlainControl(bytes: Uint8Array, start: number): number {
  if (bytes[start + 1] !== 0x5b) return 0;
  for (let at = start + 2; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x20 && byte <= 0x3f) continue;
    if (byte < 0x40 || byte > 0x7e) return 0;
    // Colours by the thousand: only `?` makes an `m` ask.
    if (byte === 0x6d) return bytes[start + 2] === 0x3f ? 0 : at + 1;
    return suspects[byte] === 0 ? at + 1 : 0;
  }
  return 0;
}

function judge(bytes: Uint8Array, at: number): Verdict | 'unfinished' {
  const first = bytes[at] as number;
  if (first === enq) return { end: at + 1, instead: none };
  if (first === c1Lead) {
    const second = bytes[at + 1];
    if (second === undefined) return 'unfinished';
    if (second === 0x9a) return { end: at + 2, instead: none };
    if (isC1(second)) return judgeIntroduced(bytes, at, at + 2, second - 0x40) ?? { end: at + 2 };
    // A broken character is nothing, and must not become a control with what follows a query.
    return (second & 0xc0) === 0x80 ? { end: at + 2 } : { end: at + 1, instead: none };
  }
  return judgeEscape(bytes, at);
}

/**
 * An escape sequence. One that is broken off goes: it means nothing, and must not join with what follows a query that
 * is taken out.
 */
function judgeEscape(bytes: Uint8Array, start: number): Verdict | 'unfinished' {
  let isIntroducer = true;
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (isSkipped(byte)) continue;
    if (byte === 0x18 || byte === 0x1a) return withoutEnquiry(bytes, start, at + 1);
    if (byte === esc) return { end: at, instead: controlsIn(bytes, start, at) };
    if (byte >= 0x80) {
      const length = characterLength(bytes, at);
      if (length > 0) return brokenOffBy(bytes, start, at, length);
      if (length < 0) break;
      continue;
    }
    if (byte < 0x30) {
      isIntroducer = false;
      continue;
    }
    if (isIntroducer && byte === 0x5a) return { end: at + 1, instead: controlsIn(bytes, start, at) };
    const judged = isIntroducer ? judgeIntroduced(bytes, start, at + 1, byte) : undefined;
    return judged ?? withoutEnquiry(bytes, start, at + 1);
  }
  if (bytes.length - start <= controlBytesMax) return 'unfinished';
  return { end: bytes.length, instead: controlsIn(bytes, start, bytes.length) };
}

/** A sequence that passes, but for an ENQ inside. */
function withoutEnquiry(bytes: Uint8Array, start: number, end: number): Verdict {
  const sequence = bytes.subarray(start, end);
  return sequence.includes(enq) ? { end, instead: sequence.filter((byte) => byte !== enq) } : { end };
}

/** Controls a terminal executes in the middle of a sequence and then goes on with it, and DEL, which it skips. */
function isSkipped(byte: number): boolean {
  return byte === 0x7f || (byte < 0x20 && byte !== esc && byte !== 0x18 && byte !== 0x1a);
}

/** The controls among some bytes, without the one that asks. */
function controlsIn(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return bytes.subarray(from, to).filter((byte) => isSkipped(byte) && byte !== enq && byte !== 0x7f);
}

/** `introducer` is what stands after ESC in the 7-bit form, `from` is after it; undefined when it introduces nothing. */
function judgeIntroduced(
  bytes: Uint8Array,
  start: number,
  from: number,
  introducer: number,
): Verdict | 'unfinished' | undefined {
  switch (introducer) {
    case 0x5b:
      return judgeControl(bytes, start, from);
    case 0x5d:
      return judgeString(bytes, start, from, true, fateOfOsc);
    case 0x50:
      return judgeString(bytes, start, from, false, fateOfDcs);
    case 0x5f:
      return judgeString(bytes, start, from, false, fateOfApc);
    case 0x58:
    case 0x5e:
      return { end: from, string: { passes: true, isOsc: false } };
    default:
      return undefined;
  }
}

/** A control sequence, perhaps with controls inside, which are executed whatever becomes of it. */
function judgeControl(bytes: Uint8Array, start: number, from: number): Verdict | 'unfinished' {
  let text = '';
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x18 || byte === 0x1a) return withoutEnquiry(bytes, start, at + 1);
    if (byte === esc) return { end: at, instead: controlsIn(bytes, start, at) };
    if (byte >= 0x80) {
      const length = characterLength(bytes, at);
      if (length > 0) return brokenOffBy(bytes, start, at, length);
      if (length < 0) break;
      continue;
    }
    if (isSkipped(byte)) continue;
    text += String.fromCharCode(byte);
    if (byte < 0x40) continue;
    if (asks(text)) return { end: at + 1, instead: controlsIn(bytes, start, at) };
    return withoutEnquiry(bytes, start, at + 1);
  }
  if (bytes.length - start <= controlBytesMax) return 'unfinished';
  return { end: bytes.length, instead: controlsIn(bytes, start, bytes.length) };
}

/**
 * Length of the character at a byte above 0x7f, 0 for a byte that is none and is skipped, -1 if it is cut off. C1
 * controls are characters here.
 */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return -1;
    if ((byte & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** A character inside a sequence breaks it off and is lost with it, but a C1 control goes on from there. */
function brokenOffBy(bytes: Uint8Array, start: number, at: number, length: number): Verdict {
  const isControl = bytes[at] === c1Lead && isC1(bytes[at + 1] ?? 0);
  return { end: isControl ? at : at + length, instead: controlsIn(bytes, start, at) };
}

/** Whether a terminal answers the control sequence with this body (`?2026$p`). */
function asks(body: string): boolean {
  const [, prefix = '', first = '', rest = '', final = ''] = /^([<-?]?)(\d*)([\d;:]*[ -/]*)([@-~])$/.exec(body) ?? [];
  const intermediates = rest.replace(/[\d;:]/g, '');
  switch (`${prefix}${intermediates}${final}`) {
    case 'c': // DA1, DA2, DA3
    case '>c':
    case '=c':
    case 'n': // DSR
    case '?n':
    case '$p': // DECRQM
    case '?$p':
    case '>q': // XTVERSION
    case '?u': // keyboard flags
    case '?m': // key modifiers
    case '?S': // graphics attributes
    case 'x': // DECREQTPARM
    case '$u': // DECRQTSR
    case '&u': // DECRQUPSS
    case '$w': // DECRQPSR
    case '*y': // DECRQCRA
    case '"v': // DECRQDE
    case "'|": // DECRQLP
    case '#|': // pushed SGR
    case '#R': // pushed colours
      return true;
    case 't':
      return windowReports.has(Number(first));
    default:
      return false;
  }
}

const windowReports = new Set([11, 13, 14, 15, 16, 18, 19, 20, 21]);

/** What to do with a string of which `text` is known: all of it if `isWhole`. */
type Fate = 'passes' | 'goes' | 'more' | { instead: string };

function judgeString(
  bytes: Uint8Array,
  start: number,
  from: number,
  isOsc: boolean,
  fateOf: (text: string, isWhole: boolean) => Fate,
): Verdict | 'unfinished' {
  const stop = stopOf(bytes, from, isOsc);
  const end = stop < bytes.length ? endOfTerminator(bytes, stop) : undefined;
  let fate = fateOf(significant(bytes, from, stop, headCharacters), false);
  if (fate === 'more') fate = fateOf(significant(bytes, from, stop, stringBytesMax), stop < bytes.length);
  if (fate === 'passes') return { end: from, string: { passes: true, isOsc } };
  if (fate === 'goes') return { end: from, instead: none, string: { passes: false, isOsc } };
  if (fate === 'more' || end === undefined) {
    if (bytes.length - start <= stringBytesMax) return 'unfinished';
    return { end: from, instead: none, string: { passes: false, isOsc } };
  }
  return { end, instead: ascii(fate.instead) };
}

function fateOfOsc(text: string, isWhole: boolean): Fate {
  const number = /^\d*/.exec(text)?.[0] ?? '';
  if (text.length === number.length) return isWhole ? 'passes' : 'more';
  if (text[number.length] !== ';') return 'passes';
  const payload = text.slice(number.length + 1);
  const known = payload === '' && !isWhole ? 'more' : undefined;
  switch (Number(number)) {
    case 4:
    case 5:
    case 21:
      return isWhole ? withoutQuestions(Number(number), payload) : 'more';
    case 50:
    case 60:
    case 61:
    case 702:
    case 7501:
      return known ?? (payload.startsWith('?') ? 'goes' : 'passes');
    case 52: {
      const data = payload.indexOf(';') + 1;
      if (data === 0 || data === payload.length) return isWhole ? 'passes' : 'more';
      return payload[data] === '?' ? 'goes' : 'passes';
    }
    case 99: {
      const metadata = payload.indexOf(';');
      if (metadata < 0 && !isWhole) return 'more';
      return payload
        .slice(0, metadata < 0 ? undefined : metadata)
        .split(':')
        .includes('p=?')
        ? 'goes'
        : 'passes';
    }
    case 1337:
      if (payload.length < longestReport && !isWhole) return 'more';
      return reports.some((name) => payload.startsWith(name)) ? 'goes' : 'passes';
    default:
      if (Number(number) < 10 || Number(number) > 19) return 'passes';
      return isWhole ? withoutQuestions(Number(number), payload) : 'more';
  }
}

/** What iTerm2 answers. */
const reports = ['ReportCellSize', 'ReportVariable', 'Capabilities', 'RequestUpload'];
const longestReport = 14;

/** Colours set and asked for in one sequence: what sets them stays. */
function withoutQuestions(number: number, payload: string): Fate {
  if (!payload.includes('?')) return 'passes';
  const slots = payload.split(';');
  if (number >= 10) {
    if (number === 21) {
      const set = slots.filter((slot) => !slot.endsWith('?'));
      return { instead: set.length === 0 ? '' : `\x1b]21;${set.join(';')}\x1b\\` };
    }
    const set = slots.map((slot, i) => (slot === '?' || slot === '' ? '' : `\x1b]${number + i};${slot}\x1b\\`));
    return { instead: set.join('') };
  }
  const pairs: string[] = [];
  for (let i = 0; i + 1 < slots.length; i += 2) if (slots[i + 1] !== '?') pairs.push(`${slots[i]};${slots[i + 1]}`);
  return { instead: pairs.length === 0 ? '' : `\x1b]${number};${pairs.join(';')}\x1b\\` };
}

/** DECRQSS and XTGETTCAP; and what tmux would hand on to the terminal around it. */
function fateOfDcs(text: string, isWhole: boolean): Fate {
  const [, kind, data = ''] = /^[<-?]?[\d;:]*([ -/]*[@-~])(.*)$/s.exec(text) ?? [];
  if (kind === undefined) return isWhole ? 'passes' : 'more';
  if (kind === '$q' || kind === '+q') return 'goes';
  if (kind !== 't') return 'passes';
  if (data.length < 4 && !isWhole && 'mux;'.startsWith(data)) return 'more';
  return data.startsWith('mux;') ? 'goes' : 'passes';
}

/** A question about kitty's graphics; its images pass. */
function fateOfApc(text: string, isWhole: boolean): Fate {
  if (text === '' && !isWhole) return 'more';
  if (!text.startsWith('G')) return 'passes';
  const keys = text.slice(1).split(';', 1)[0] ?? '';
  if (keys.length === text.length - 1 && !isWhole) return keys.length < 1024 ? 'more' : 'passes';
  return keys.split(',').includes('a=q') ? 'goes' : 'passes';
}

/** Characters of a string that count: terminals skip controls inside. At most `max`. */
function significant(bytes: Uint8Array, from: number, stop: number, max: number): string {
  let text = '';
  for (let at = from; at < stop && text.length < max; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x20) text += String.fromCharCode(byte);
  }
  return text;
}

/** First byte at or after `from` that ends a string, or the end of `bytes`. */
function stopOf(bytes: Uint8Array, from: number, isOsc: boolean): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === esc || byte === 0x18 || byte === 0x1a || (byte === 0x07 && isOsc)) return at;
    if (byte === c1Lead && isC1(bytes[at + 1] ?? 0x80)) return at;
  }
  return bytes.length;
}

/** Where a string that stops at `stop` is over, its terminator included; undefined while that is half there. What only interrupts it is no part of it. */
function endOfTerminator(bytes: Uint8Array, stop: number): number | undefined {
  const byte = bytes[stop] as number;
  if (byte !== esc && byte !== c1Lead) return stop + 1;
  const next = bytes[stop + 1];
  if (next === undefined) return undefined;
  return next === (byte === esc ? 0x5c : 0x9c) ? stop + 2 : stop;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
