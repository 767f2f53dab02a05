import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readOffset } from '../protocol/index.ts';
import {
  findRecord,
  type LogContext,
  type LogExit,
  type LogRecord,
  listSegments,
  RecordKind,
  readJsonPayload,
  readRecord,
  readSize,
  recordHeaderBytes,
  recordPayloadBytesMax,
  type Segment,
} from './log-format.ts';

/**
 * What a log tells, in order. `bytes` are views valid until the next item is asked for. A `resize` always comes before
 * the first `data`. `end` is always the last item: `head` is the offset after the newest whole record, `tornBytes` what
 * a writer left unfinished there (also while a holder is writing at this very moment).
 */
export type LogItem =
  | { kind: 'context'; offset: number; context: LogContext }
  | { kind: 'data'; offset: number; bytes: Uint8Array }
  | { kind: 'resize'; offset: number; columns: number; rows: number }
  | { kind: 'answer'; offset: number; query: number }
  | { kind: 'errors'; offset: number; bytes: Uint8Array }
  | { kind: 'exit'; offset: number; exit: LogExit }
  /** Output of [from, to) is not to be had: dropped by retention, or unreadable. Damage may cost no output (from = to). */
  | { kind: 'gap'; from: number; to: number; cause: 'retention' | 'damage' }
  | { kind: 'end'; head: number; tornBytes: number };

/**
 * Reads a log folder without its holder: of a lost session, a finished one, or one being written. Never changes the
 * folder. Reads synchronously, at most 256 KiB per step, so a caller paces it by when it asks for more.
 */
export function* readLog(folder: string, from = 0): Generator<LogItem, void, void> {
  const walk: Walk = { from, offset: from, head: 0, size: null, isSizeTold: false };
  let segments = listSegments(folder);
  let current = segmentFor(segments, from);
  let tornBytes = 0;
  let cause: 'retention' | 'damage' = 'retention';
  while (current !== undefined) {
    if (current.start > walk.offset) {
      yield { kind: 'gap', from: walk.offset, to: current.start, cause };
      walk.offset = current.start;
    }
    walk.head = Math.max(walk.head, current.start);
    const reader = openSegment(current);
    if (reader === null) {
      segments = listSegments(folder);
      current = segmentFor(segments, walk.offset);
      cause = 'retention';
      continue;
    }
    cause = 'damage';
    try {
      yield* readSegment(reader, walk);
      tornBytes = reader.restBytes;
    } finally {
      reader[Symbol.dispose]();
    }
    if (nextAfter(segments, current) === undefined) segments = listSegments(folder);
    current = nextAfter(segments, current);
  }
  yield* tellSize(walk);
  yield { kind: 'end', head: walk.head, tornBytes };
}

interface Walk {
  readonly from: number;
  /** Where the next output byte is expected. */
  offset: number;
  /** Offset after the newest record seen. */
  head: number;
  size: { columns: number; rows: number } | null;
  isSizeTold: boolean;
}

function* readSegment(reader: SegmentReader, walk: Walk): Generator<LogItem, void, void> {
  for (let found = reader.next(); found !== null; found = reader.next()) {
    if ('skippedBytes' in found) {
      if (found.nextOffset >= walk.offset) {
        yield { kind: 'gap', from: walk.offset, to: found.nextOffset, cause: 'damage' };
        walk.offset = found.nextOffset;
      }
      continue;
    }
    if (found.kind === RecordKind.data) {
      const end = found.offset + found.payload.length;
      walk.head = Math.max(walk.head, end);
      if (end <= walk.offset) continue;
      yield* tellSize(walk);
      if (found.offset > walk.offset) {
        yield { kind: 'gap', from: walk.offset, to: found.offset, cause: 'damage' };
        walk.offset = found.offset;
      }
      const offset = walk.offset;
      walk.offset = end;
      yield { kind: 'data', offset, bytes: found.payload.subarray(offset - found.offset) };
      continue;
    }
    const item = toItem(found);
    if (item === null) continue;
    walk.head = Math.max(walk.head, item.offset);
    if (item.kind === 'context') walk.size = { columns: item.context.columns, rows: item.context.rows };
    if (item.kind === 'resize') walk.size = { columns: item.columns, rows: item.rows };
    if (item.offset < walk.from) continue;
    if (item.kind === 'resize') walk.isSizeTold = true;
    else yield* tellSize(walk);
    yield item;
  }
}

/** Every reader learns the size before the first byte, whether or not a resize record lies in its range. */
function* tellSize(walk: Walk): Generator<LogItem, void, void> {
  if (walk.isSizeTold || walk.size === null) return;
  walk.isSizeTold = true;
  yield { kind: 'resize', offset: walk.offset, ...walk.size };
}

/** Null when retention took the file since it was listed. */
function openSegment(segment: Segment): SegmentReader | null {
  try {
    return new SegmentReader(segment);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function segmentFor(segments: readonly Segment[], offset: number): Segment | undefined {
  return segments.findLast((segment) => segment.start <= offset) ?? segments[0];
}

function nextAfter(segments: readonly Segment[], current: Segment): Segment | undefined {
  return segments.find((segment) => segment.start > current.start);
}

function toItem(record: LogRecord): Exclude<LogItem, { kind: 'data' | 'gap' | 'end' }> | null {
  const { offset, payload } = record;
  switch (record.kind) {
    case RecordKind.context: {
      const context = readJsonPayload<LogContext>(payload);
      return context && { kind: 'context', offset, context };
    }
    case RecordKind.exit: {
      const exit = readJsonPayload<LogExit>(payload);
      return exit && { kind: 'exit', offset, exit };
    }
    case RecordKind.resize:
      return payload.length === 4 ? { kind: 'resize', offset, ...readSize(payload) } : null;
    case RecordKind.answer:
      return payload.length === 8 ? { kind: 'answer', offset, query: readOffset(payload, 0) } : null;
    case RecordKind.errors:
      return { kind: 'errors', offset, bytes: payload };
    default:
      return null;
  }
}

/** What a log folder amounts to, from its first name and its last segment alone. */
export interface LogSummary {
  retainedFrom: number;
  /** Offset after the newest whole record. */
  head: number;
  /** Unfinished bytes after it: the writer was killed, or writes right now. */
  tornBytes: number;
  /** Whose output came last; null for an empty or wholly unreadable log. */
  context: LogContext | null;
  /** How the last incarnation ended; null while it lives, or when it was cut off without a word. */
  exit: LogExit | null;
  columns: number;
  rows: number;
}

export function summarizeLog(folder: string): LogSummary {
  const segments = listSegments(folder);
  const last = segments.at(-1);
  const summary: LogSummary = {
    retainedFrom: segments[0]?.start ?? 0,
    head: last?.start ?? 0,
    tornBytes: 0,
    context: null,
    exit: null,
    columns: 0,
    rows: 0,
  };
  if (last === undefined) return summary;
  for (const item of readLog(folder, last.start)) {
    if (item.kind === 'context') {
      const { columns, rows } = item.context;
      Object.assign(summary, { context: item.context, exit: null, columns, rows });
    } else if (item.kind === 'resize') {
      summary.columns = item.columns;
      summary.rows = item.rows;
    } else if (item.kind === 'exit') summary.exit = item.exit;
    else if (item.kind === 'end') {
      summary.head = item.head;
      summary.tornBytes = item.tornBytes;
    }
  }
  return summary;
}

/** Bytes of the file that hold no readable record, and the offset at which the output goes on after them. */
interface Damage {
  skippedBytes: number;
  nextOffset: number;
}

/** Walks the records of one segment. Ends (null) at its end or before a record that is not complete yet. */
export class SegmentReader implements Disposable {
  readonly #descriptor: number;
  readonly #window = Buffer.allocUnsafeSlow(windowBytes);
  /** Valid bytes of the window, and the place of the next record in it. */
  #filled = 0;
  #at = 0;
  /** Place in the file of the window's first byte. */
  #base = 0;
  /** Offset of the next output byte if nothing is missing. */
  #offset: number;

  constructor(segment: Segment) {
    this.#descriptor = openSync(segment.path, 'r');
    this.#offset = segment.start;
  }

  /** Place in the file after the last whole record. */
  get position(): number {
    return this.#base + this.#at;
  }

  /** Bytes after the last whole record. */
  get restBytes(): number {
    return this.#filled - this.#at;
  }

  next(): LogRecord | Damage | null {
    let record = readRecord(this.#window, this.#at, this.#filled);
    if (record === 'incomplete' && this.#fill()) record = readRecord(this.#window, this.#at, this.#filled);
    if (record === 'incomplete' && this.restBytes === 0) return null;
    if (typeof record !== 'object') return this.#skipDamage(record);
    this.#at += recordHeaderBytes + record.payload.length;
    this.#offset = endOf(record);
    return record;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  /** A flipped bit in a length makes a record look incomplete: only when nothing readable follows is it the torn end. */
  #skipDamage(seen: 'incomplete' | 'damaged'): Damage | null {
    const rest = this.#restOfFile();
    for (let at = findRecord(rest, 1, rest.length); at >= 0; at = findRecord(rest, at + 1, rest.length)) {
      const record = readRecord(rest, at, rest.length);
      // What was skipped cannot have held more output than its own length; anything else is a lookalike.
      if (typeof record !== 'object' || record.offset < this.#offset || record.offset > this.#offset + at) continue;
      return this.#skipTo(at, record.offset);
    }
    if (seen === 'incomplete') return null;
    return this.#skipTo(rest.length, Math.min(claimedEnd(rest, this.#offset), this.#offset + rest.length));
  }

  #skipTo(skippedBytes: number, nextOffset: number): Damage {
    this.#base = this.position + skippedBytes;
    this.#at = 0;
    this.#filled = 0;
    this.#offset = nextOffset;
    return { skippedBytes, nextOffset };
  }

  /** Slides the window; false when the file has nothing more. */
  #fill(): boolean {
    this.#window.copy(this.#window, 0, this.#at, this.#filled);
    this.#filled -= this.#at;
    this.#base += this.#at;
    this.#at = 0;
    const place = this.#base + this.#filled;
    const read = readSync(this.#descriptor, this.#window, this.#filled, windowBytes - this.#filled, place);
    this.#filled += read;
    return read > 0;
  }

  #restOfFile(): Buffer {
    const rest = Buffer.allocUnsafeSlow(Math.max(0, fstatSync(this.#descriptor).size - this.position));
    return rest.subarray(0, readSync(this.#descriptor, rest, 0, rest.length, this.position));
  }
}

function endOf(record: LogRecord): number {
  return record.offset + (record.kind === RecordKind.data ? record.payload.length : 0);
}

/** Where the output would end if the header of a last, damaged record may be believed. */
function claimedEnd(rest: Buffer, offset: number): number {
  if (rest.length < recordHeaderBytes || rest[8] !== RecordKind.data) return offset;
  const length = rest.readUInt32LE(4);
  return readOffset(rest, 12) === offset && recordHeaderBytes + length === rest.length ? offset + length : offset;
}

/** Holds several of the longest records, so that one read serves many small ones. */
const windowBytes = 4 * (recordPayloadBytesMax + recordHeaderBytes);
