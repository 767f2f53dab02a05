import { backoffMs } from '../../base/index.ts';
import { type HolderExit, type HolderPause, writeOffset } from '../../protocol/index.ts';
import {
  type LogContext,
  listSegments,
  RecordKind,
  recordHeaderBytes,
  recordPayloadBytesMax,
  type Segment,
  segmentPath,
  writeRecordHeader,
  writeSize,
} from '../log-format.ts';
import { SegmentReader, summarizeLog } from '../log-reader.ts';
import type { HolderTick } from './holder-tick.ts';
import { type LogFiles, realLogFiles } from './log-files.ts';

export interface ByteLogOptions {
  folder: string;
  /** `startedFrom` is filled in: the log goes on where an earlier incarnation ended. */
  context: Omit<LogContext, 'startedFrom'>;
  /** Output bytes kept whatever `retain` says. */
  retainBytes: number;
  /** Bytes on disk at which `onPressure` reports `cap`. */
  capBytes: number;
  /** A segment is closed at the first record beyond this. */
  segmentBytes: number;
  tick: HolderTick;
  /** The child must be held up (or, with null, may go on): the log takes no more for now, but keeps all it was given. */
  onPressure: (pressure: HolderPause | null) => void;
  files?: LogFiles;
}

/** Waiting bytes above which the child is held up, and below which it goes on. */
const backlogBytesHigh = 400 * 1024;
const backlogBytesLow = 100 * 1024;
/** Waiting bytes that are written at once instead of at the next tick. */
const flushBytes = 64 * 1024;
/** Larger writes go through the thread pool, so that a slow disk under one flood does not hold up other sessions. */
const laterBytes = 16 * 1024;
/** Records per write call; two buffers each, far below IOV_MAX. */
const recordsPerWrite = 32;
const retryBackoff = { firstMs: 100, maxMs: 5000 };

/**
 * The writing half of a log. Takes bytes in any number of calls, writes them in batches, survives SIGKILL at any moment
 * (the reader cuts an unfinished record) and a full disk at any write: what could not be written stays in memory, the
 * child is held up through `onPressure`, and writing is tried again until it succeeds. Never drops what it was given.
 *
 * Old segments go only below both the retention window and the last durable checkpoint (`retain`); at the cap the
 * checkpoint alone decides.
 */
export class ByteLog implements Disposable {
  readonly startedFrom: number;
  readonly #options: ByteLogOptions;
  readonly #files: LogFiles;
  readonly #context: LogContext;
  #segments: OpenSegment[];
  /** Bytes that are in no record yet; neighbours in memory are one view. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #queue: QueuedRecord[] = [];
  #queuedBytes = 0;
  /** Of all segments, what is queued included. */
  #diskBytes = 0;
  #head: number;
  #writtenTo: number;
  #checkpoint = 0;
  #isWriting = false;
  #trouble: HolderPause | null = null;
  #retry: NodeJS.Timeout | null = null;
  #failures = 0;
  #hasBacklog = false;
  #reported: HolderPause['reason'] | null = null;
  #end: 'open' | 'finishing' | 'closed' = 'open';
  #onSettled: (() => void) | null = null;

  /** Opens or makes the folder, cuts a torn tail and writes the first record. Throws what the file system throws. */
  static open(options: ByteLogOptions): ByteLog {
    const files = options.files ?? realLogFiles;
    files.makeFolder(options.folder);
    const existing = listSegments(options.folder);
    const head = existing.length === 0 ? 0 : summarizeLog(options.folder).head;
    const log = new ByteLog(options, files, existing, head);
    try {
      log.#writeContext();
    } catch (error) {
      log[Symbol.dispose]();
      throw error;
    }
    return log;
  }

  private constructor(options: ByteLogOptions, files: LogFiles, existing: readonly Segment[], head: number) {
    this.#options = options;
    this.#files = files;
    this.#context = { ...options.context, startedFrom: head };
    this.#segments = existing.map((segment) => ({ ...segment, descriptor: null }));
    for (const segment of existing) this.#diskBytes += segment.bytes;
    this.startedFrom = head;
    this.#head = head;
    this.#writtenTo = head;
  }

  /** Offset after the newest byte. */
  get head(): number {
    return this.#head;
  }

  /** Every byte below this is in a file. */
  get writtenTo(): number {
    return this.#writtenTo;
  }

  get retainedFrom(): number {
    return this.#segments[0]?.start ?? this.startedFrom;
  }

  get pressure(): HolderPause['reason'] | null {
    return this.#reported;
  }

  /** The bytes must stay as they are until written; they are not copied. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const last = this.#pending.at(-1);
    if (last !== undefined && isNeighbour(last, bytes) && last.length + bytes.length <= recordPayloadBytesMax) {
      this.#pending[this.#pending.length - 1] = new Uint8Array(
        last.buffer,
        last.byteOffset,
        last.length + bytes.length,
      );
    } else this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#head += bytes.length;
    this.#write();
  }

  resize(columns: number, rows: number): void {
    this.#context.columns = columns;
    this.#context.rows = rows;
    this.#mark(RecordKind.resize, writeSize(columns, rows));
  }

  answered(query: number): void {
    const payload = new Uint8Array(8);
    writeOffset(payload, query, 0);
    this.#mark(RecordKind.answer, payload);
  }

  errors(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += recordPayloadBytesMax) {
      this.#mark(RecordKind.errors, new Uint8Array(bytes.subarray(at, at + recordPayloadBytesMax)));
    }
  }

  /** The last record. `onSettled` runs once all is written and the file closed, however long the disk was full. */
  finish(exit: HolderExit, onSettled: () => void): void {
    this.#onSettled = onSettled;
    this.#mark(RecordKind.exit, Buffer.from(JSON.stringify(exit)));
    this.#end = 'finishing';
    this.flush();
  }

  /** A durable checkpoint covers everything below: older segments may go. */
  retain(checkpoint: number): void {
    this.#checkpoint = Math.max(this.#checkpoint, Math.min(checkpoint, this.#head));
    this.#dropOldSegments();
    this.#report();
  }

  /** Writes what waits. Needed only before an orderly end: the tick does it otherwise. */
  readonly flush = (): void => {
    if (this.#end === 'closed') return;
    this.#seal();
    this.#drain();
  };

  /** Gives up without writing what waits; for a log that was never used, and for tests. */
  [Symbol.dispose](): void {
    if (this.#end === 'closed') return;
    this.#end = 'closed';
    if (this.#retry !== null) clearTimeout(this.#retry);
    for (const segment of this.#segments) {
      if (segment.descriptor !== null && !this.#isWriting) this.#files.close(segment.descriptor);
      segment.descriptor = null;
    }
  }

  #writeContext(): void {
    const first = this.#segments.length === 0;
    if (first) this.#segments.push(newSegment(this.#options.folder, this.#head));
    const segment = this.#current();
    segment.descriptor = this.#files.open(segment.path);
    if (!first) {
      const valid = validBytes(segment);
      this.#files.truncate(segment.descriptor, valid);
      this.#grow(segment, valid - segment.bytes);
    }
    const payload = contextPayload(this.#context);
    const record = [writeRecordHeader(RecordKind.context, this.#head, payload), payload];
    let waiting: readonly Uint8Array[] = record;
    while (waiting.length > 0) {
      const written = this.#files.write(segment.descriptor, waiting, segment.bytes);
      this.#grow(segment, written);
      waiting = without(waiting, written);
    }
  }

  #mark(kind: RecordKind, payload: Uint8Array): void {
    this.#seal();
    const last = this.#queue.at(-1);
    const isStorm = kind === RecordKind.resize && last?.kind === kind && last.end === this.#head && !last.isStarted;
    if (isStorm) this.#unqueue();
    this.#enqueue(kind, this.#head, payload);
    this.#write();
  }

  /** Makes records of the waiting bytes. */
  #seal(): void {
    if (this.#pendingBytes === 0) return;
    let offset = this.#head - this.#pendingBytes;
    for (const view of this.#pending) {
      for (let at = 0; at < view.length; at += recordPayloadBytesMax) {
        const payload = view.subarray(at, at + recordPayloadBytesMax);
        if (this.#current().bytes >= this.#options.segmentBytes) this.#rotate(offset);
        this.#enqueue(RecordKind.data, offset, payload);
        offset += payload.length;
      }
    }
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #rotate(offset: number): void {
    if (this.#current().start === offset) return;
    this.#segments.push(newSegment(this.#options.folder, offset));
    this.#enqueue(RecordKind.context, offset, contextPayload(this.#context));
    this.#dropOldSegments();
  }

  #enqueue(kind: RecordKind, offset: number, payload: Uint8Array): void {
    const segment = this.#current();
    const bytes = recordHeaderBytes + payload.length;
    const end = offset + (kind === RecordKind.data ? payload.length : 0);
    const position = segment.bytes;
    const buffers = [writeRecordHeader(kind, offset, payload), payload];
    this.#queue.push({ kind, segment, position, buffers, bytes, end, isStarted: false });
    this.#grow(segment, bytes);
    this.#queuedBytes += bytes;
  }

  #grow(segment: OpenSegment, bytes: number): void {
    segment.bytes += bytes;
    this.#diskBytes += bytes;
  }

  #unqueue(): void {
    const record = this.#queue.pop();
    if (record === undefined) return;
    this.#grow(record.segment, -record.bytes);
    this.#queuedBytes -= record.bytes;
  }

  #write(): void {
    if (this.#end === 'finishing' || this.#pendingBytes + this.#queuedBytes >= flushBytes) this.flush();
    else this.#options.tick.add('write', this.flush);
    this.#report();
  }

  /** Writes the queue: small things now, floods through the thread pool, one write at a time so that order holds. */
  #drain(): void {
    while (!this.#isWriting && this.#retry === null && this.#end !== 'closed') {
      const first = this.#queue[0];
      if (first === undefined) return this.#settle();
      const batch = this.#batchFrom(first);
      const buffers = batch.flatMap((record) => record.buffers);
      for (const record of batch) record.isStarted = true;
      try {
        first.segment.descriptor ??= this.#openNext(first.segment);
        if (sizeOf(buffers) < laterBytes) {
          const written = this.#files.write(first.segment.descriptor, buffers, first.position);
          if (written === 0) throw new Error('The file system took nothing');
          this.#written(batch, written);
          continue;
        }
      } catch (error) {
        return this.#fail(error as NodeJS.ErrnoException);
      }
      this.#isWriting = true;
      const { descriptor } = first.segment;
      this.#files.writeLater(descriptor, buffers, first.position, (error, written) => {
        this.#isWriting = false;
        if (this.#end === 'closed') return this.#files.close(descriptor);
        if (error !== null || written === 0) return this.#fail(error ?? new Error('The file system took nothing'));
        this.#written(batch, written);
        this.#drain();
        this.#report();
      });
    }
  }

  #batchFrom(first: QueuedRecord): QueuedRecord[] {
    const batch: QueuedRecord[] = [];
    for (const record of this.#queue) {
      if (record.segment !== first.segment || batch.length === recordsPerWrite) break;
      batch.push(record);
    }
    return batch;
  }

  #openNext(segment: OpenSegment): number {
    const descriptor = this.#files.open(segment.path);
    for (const other of this.#segments) {
      if (other !== segment && other.descriptor !== null) {
        this.#files.close(other.descriptor);
        other.descriptor = null;
      }
    }
    return descriptor;
  }

  #written(batch: readonly QueuedRecord[], written: number): void {
    this.#failures = 0;
    if (this.#trouble !== null) this.#trouble = null;
    this.#queuedBytes -= written;
    let rest = written;
    for (const record of batch) {
      const left = sizeOf(record.buffers);
      if (rest < left) {
        record.buffers = without(record.buffers, rest);
        record.position += rest;
        break;
      }
      rest -= left;
      this.#queue.shift();
      this.#writtenTo = Math.max(this.#writtenTo, record.end);
    }
    this.#report();
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#trouble = pauseFor(error, this.#options.context.session);
    this.#retry = setTimeout(
      () => {
        this.#retry = null;
        this.#drain();
        this.#report();
      },
      backoffMs(retryBackoff, this.#failures++, 1),
    );
    this.#report();
  }

  #settle(): void {
    if (this.#end !== 'finishing' || this.#pendingBytes > 0) return;
    this.#end = 'closed';
    const { descriptor } = this.#current();
    this.#current().descriptor = null;
    if (descriptor === null) this.#onSettled?.();
    else this.#files.syncAndClose(descriptor, () => this.#onSettled?.());
  }

  #dropOldSegments(): void {
    while (this.#segments.length > 1) {
      const [oldest, next] = this.#segments as [OpenSegment, OpenSegment];
      const isOld = next.start <= this.#head - this.#options.retainBytes || this.#isAtCap();
      if (next.start > this.#checkpoint || !isOld || oldest.descriptor !== null || this.#isQueued(oldest)) return;
      try {
        this.#files.remove(oldest.path);
      } catch (error) {
        // Gone already counts as dropped; anything else is tried again at the next rotation.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return;
      }
      this.#segments.shift();
      this.#diskBytes -= oldest.bytes;
    }
  }

  #isQueued(segment: OpenSegment): boolean {
    return this.#queue[0]?.segment === segment;
  }

  #isAtCap(): boolean {
    return this.#diskBytes >= this.#options.capBytes;
  }

  #current(): OpenSegment {
    return this.#segments[this.#segments.length - 1] as OpenSegment;
  }

  #report(): void {
    const waiting = this.#pendingBytes + this.#queuedBytes;
    this.#hasBacklog = waiting >= (this.#hasBacklog ? backlogBytesLow : backlogBytesHigh);
    const pressure = this.#trouble ?? this.#capPressure() ?? (this.#hasBacklog ? backlog : null);
    if ((pressure?.reason ?? null) === this.#reported) return;
    this.#reported = pressure?.reason ?? null;
    this.#options.onPressure(pressure);
  }

  #capPressure(): HolderPause | null {
    if (this.#end !== 'open' || !this.#isAtCap()) return null;
    this.#dropOldSegments();
    if (!this.#isAtCap()) return null;
    return {
      reason: 'cap',
      message:
        `The kept output of session ${this.#options.context.session} has reached ${this.#options.capBytes} bytes; ` +
        'it waits until its screen is saved, nothing is lost',
    };
  }
}

interface OpenSegment extends Segment {
  /** Open only while it is being written. */
  descriptor: number | null;
}

interface QueuedRecord {
  kind: RecordKind;
  segment: OpenSegment;
  position: number;
  /** What is left to write of it. */
  buffers: readonly Uint8Array[];
  bytes: number;
  /** Offset after it. */
  end: number;
  /** Handed to the file system once, perhaps in part. */
  isStarted: boolean;
}

const backlog: HolderPause = { reason: 'backlog', message: 'The disk is slower than this session prints' };

function pauseFor(error: NodeJS.ErrnoException, session: string): HolderPause {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return {
      reason: 'disk-full',
      message: `Cannot write the log of session ${session}: the disk is full. It waits and goes on by itself once there is space`,
    };
  }
  return {
    reason: 'log-error',
    message: `Cannot write the log of session ${session} (${error.code ?? error.message}). It waits and goes on by itself once writing works`,
  };
}

function newSegment(folder: string, start: number): OpenSegment {
  return { path: segmentPath(folder, start), start, bytes: 0, descriptor: null };
}

function contextPayload(context: LogContext): Uint8Array {
  return Buffer.from(JSON.stringify(context));
}

/** Bytes up to the end of the last whole record; what follows was torn by a SIGKILL. */
function validBytes(segment: Segment): number {
  using reader = new SegmentReader(segment);
  while (reader.next() !== null);
  return reader.position;
}

function isNeighbour(first: Uint8Array, second: Uint8Array): boolean {
  return first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset;
}

function sizeOf(buffers: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const buffer of buffers) bytes += buffer.length;
  return bytes;
}

/** The buffers without their first `bytes` bytes. */
function without(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  const rest: Uint8Array[] = [];
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(skip === 0 ? buffer : buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return rest;
}
