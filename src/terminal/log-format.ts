import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type HolderExit, readOffset, writeOffset } from '../protocol/index.ts';

/**
 * A log is a folder of segments, each named by the offset of its first output byte and made of records:
 *   u32 mark · u32 payload length · u8 kind · 3 zero bytes · u64 offset · u32 crc32 of bytes 4..20 and the payload
 * all little endian. Offsets count bytes printed by the child and nothing else. Every segment opens with a `context`
 * record, so that each can be understood alone.
 */
export const recordHeaderBytes = 24;

/** Found again after damage by searching for it; a chance match fails the checksum. */
const recordMark = 0x31474c43;

/** Longer data is written as several records; a longer length in a header is damage. */
export const recordPayloadBytesMax = 64 * 1024;

export const RecordKind = {
  /** JSON `LogContext`: opens a segment and an incarnation. */
  context: 1,
  /** Bytes the child printed. */
  data: 2,
  /** u16 columns, u16 rows: the size from this offset on. */
  resize: 3,
  /** u64: offset after the terminal query that was answered. */
  answer: 4,
  /** JSON `HolderExit`: nothing of this incarnation follows. */
  exit: 5,
  /** Standard error of a piped child that keeps it apart; not counted by offsets. */
  errors: 6,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** Whose output follows, and at which size. */
export interface LogContext {
  session: string;
  incarnation: number;
  name: string;
  io: 'pty' | 'pipes';
  columns: number;
  rows: number;
  startedAt: number;
  /** First byte of this incarnation. */
  startedFrom: number;
}

export type LogExit = HolderExit;

export interface LogRecord {
  kind: number;
  offset: number;
  /** A view of the reader's buffer, valid until the next record is read. */
  payload: Uint8Array;
}

export function writeRecordHeader(kind: RecordKind, offset: number, payload: Uint8Array): Uint8Array {
  const header = Buffer.allocUnsafe(recordHeaderBytes);
  header.writeUInt32LE(recordMark, 0);
  header.writeUInt32LE(payload.length, 4);
  header.writeUInt32LE(kind, 8);
  writeOffset(header, offset, 12);
  header.writeUInt32LE(checksum(header, payload), 20);
  return header;
}

/** The record at `at`, or why there is none: its bytes are not all there yet, or are no record. */
export function readRecord(bytes: Uint8Array, at: number, end: number): LogRecord | 'incomplete' | 'damaged' {
  if (end - at < recordHeaderBytes) return 'incomplete';
  const header = Buffer.from(bytes.buffer, bytes.byteOffset + at, recordHeaderBytes);
  const length = header.readUInt32LE(4);
  if (header.readUInt32LE(0) !== recordMark || length > recordPayloadBytesMax) return 'damaged';
  if (end - at < recordHeaderBytes + length) return 'incomplete';
  const payload = bytes.subarray(at + recordHeaderBytes, at + recordHeaderBytes + length);
  if (header.readUInt32LE(20) !== checksum(header, payload)) return 'damaged';
  return { kind: header[8] ?? 0, offset: readOffset(header, 12), payload };
}

function checksum(header: Buffer, payload: Uint8Array): number {
  return crc32(payload, crc32(header.subarray(4, 20)));
}

/** Finds the next whole record at or after `from`; -1 when there is none before `end`, or only after too many lookalikes. */
export function findRecord(bytes: Uint8Array, from: number, end: number): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  let at = buffer.indexOf(markBytes, from);
  for (let lookalikes = 0; at >= 0 && lookalikes < lookalikesMax; lookalikes++) {
    if (typeof readRecord(bytes, at, end) === 'object') return at;
    at = buffer.indexOf(markBytes, at + 1);
  }
  return -1;
}

/** A child may print record marks on purpose; this many checksums are the most its damaged segment may cost. */
const lookalikesMax = 10_000;

const markBytes = Buffer.alloc(4);
markBytes.writeUInt32LE(recordMark);

export interface Segment {
  path: string;
  /** Offset of the first output byte in it. */
  start: number;
  /** On disk when listed. */
  bytes: number;
}

export function segmentPath(folder: string, start: number): string {
  return join(folder, `${start.toString(16).padStart(16, '0')}.seg`);
}

/** Oldest first. An absent folder is an empty log. */
export function listSegments(folder: string): Segment[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const segments: Segment[] = [];
  for (const name of names) {
    if (!/^[0-9a-f]{16}\.seg$/.test(name)) continue;
    const path = join(folder, name);
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts?.isFile()) segments.push({ path, start: Number.parseInt(name.slice(0, 16), 16), bytes: facts.size });
  }
  return segments.sort((a, b) => a.start - b.start);
}

export function readSize(payload: Uint8Array): { columns: number; rows: number } {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return { columns: view.getUint16(0, true), rows: view.getUint16(2, true) };
}

export function writeSize(columns: number, rows: number): Uint8Array {
  const payload = new Uint8Array(4);
  const view = new DataView(payload.buffer);
  view.setUint16(0, columns, true);
  view.setUint16(2, rows, true);
  return payload;
}

/** JSON of a record whose checksum held; null when it is not what a writer of ours wrote. */
export function readJsonPayload<T>(payload: Uint8Array): T | null {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')) as T;
  } catch {
    // The checksum held, so a stranger wrote it: to be skipped like any unknown record.
    return null;
  }
}
