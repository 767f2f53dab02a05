import { hash } from 'node:crypto';
import type { FleetEvent, JournalRow } from '../fleet/index.ts';
import type { SqlRow } from './db.ts';

/** A journal row as its columns. `data` is the event without its type, as JSON. */
export interface EncodedRow {
  seq: number;
  at: number;
  host: string;
  type: string;
  subject: string;
  data: string;
}

/** Where the chain stands after a row. `rowHash` is 64 hexadecimal digits. */
export interface ChainEnd {
  seq: number;
  rowHash: string;
}

/** The chain before the first row. */
export const chainStart: ChainEnd = { seq: 0, rowHash: '0'.repeat(64) };

/**
 * SHA-256 over the hash before, and every field. Lengths come first, so that no two rows can spell the same text; they
 * count UTF-16 units, which survive the way through SQLite (a lone surrogate becomes one U+FFFD).
 */
export function hashRow(before: string, row: EncodedRow): string {
  const { seq, at, host, type, subject, data } = row;
  return hash(
    'sha256',
    `${before}\n${seq} ${at} ${host.length} ${type.length} ${subject.length}\n${host}${type}${subject}${data}`,
  );
}

/** Hash of a row that stands for itself (claims, seats, snapshots, the epoch): detects any changed field. */
export function hashFields(...fields: (string | number)[]): string {
  return hash('sha256', fields.map((field) => `${typeof field} ${String(field).length} ${field}`).join('\n'));
}

export function hexToBlob(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}

/** The stored hash, or empty when the column holds anything else. */
export function blobToHex(value: unknown): string {
  return value instanceof Uint8Array && value.length === 32 ? Buffer.from(value).toString('hex') : '';
}

export function encodeRow({ seq, at, host, event }: JournalRow): EncodedRow {
  const { type, ...rest } = event;
  return { seq, at, host, type, subject: subjectOf(event), data: JSON.stringify(rest) };
}

/** Only for rows whose hash was verified: then `data` is what `encodeRow` made. */
export function decodeRow({ seq, at, host, type, data }: EncodedRow): JournalRow {
  return { seq, at, host, event: { type, ...JSON.parse(data) } as FleetEvent };
}

/** The row as columns, or null when a column is not even of its type. */
export function readEncodedRow(row: SqlRow): EncodedRow | null {
  const { seq, at, host, type, subject, data } = row;
  return typeof seq === 'number' &&
    typeof at === 'number' &&
    typeof host === 'string' &&
    typeof type === 'string' &&
    typeof subject === 'string' &&
    typeof data === 'string'
    ? { seq, at, host, type, subject, data }
    : null;
}

/** What the event is about: the thing its type names when that is a task or a project, else its session. Empty when it is about the host. */
function subjectOf(event: FleetEvent): string {
  if ('project' in event && event.type.startsWith('project.')) return event.project;
  if ('task' in event && event.type.startsWith('task.')) return event.task;
  return 'session' in event ? event.session : '';
}
