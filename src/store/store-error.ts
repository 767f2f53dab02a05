import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ErrorCode } from '../protocol/index.ts';

export type StoreErrorCode = Extract<
  ErrorCode,
  | 'disk/full'
  | 'disk/read-only'
  | 'disk/failing'
  | 'journal/damaged'
  | 'journal/newer'
  | 'journal/fenced'
  | 'blob/damaged'
  | 'daemon/overloaded'
>;

/** The disk or the journal said no. Nothing of what was asked is written; what was acknowledged before still is. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** The same request may succeed later, unchanged. */
  readonly retryable: boolean;

  constructor(code: StoreErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'disk/full' || code === 'disk/failing' || code === 'daemon/overloaded';
  }
}

/**
 * Names what SQLite or the file system reported while `path` was used; null for anything that is not the world's fault.
 * An I/O error on a disk without room is a full disk: SQLite reports a failed growth of its index that way.
 */
export function toStoreError(error: unknown, path: string): StoreError | null {
  if (error instanceof StoreError) return error;
  const cause = errorCode(error);
  const make = (code: StoreErrorCode, message: string) => new StoreError(code, message, { cause: error });
  if (isFull(cause) || (cause.startsWith('SQLITE_IOERR') && !hasRoom(path)))
    return make(
      'disk/full',
      `Cannot write "${path}": the disk is full. Sessions keep running; nothing new is recorded`,
    );
  if (isReadOnly(cause)) return make('disk/read-only', `Cannot write "${path}": it is read-only here (${cause})`);
  if (isDamage(cause)) return make('journal/damaged', `Cannot believe "${path}": the file is damaged (${cause})`);
  if (cause.startsWith('SQLITE_BUSY') || cause.startsWith('SQLITE_LOCKED'))
    return make('daemon/overloaded', `Cannot write "${path}": another program keeps it locked`);
  if (cause.startsWith('SQLITE_IOERR') || cause.startsWith('SQLITE_CANTOPEN') || cause === 'EIO' || cause === 'EMFILE')
    return make('disk/failing', `Cannot use "${path}": the disk reports an error (${cause})`);
  return null;
}

/** Whether an error means that the bytes of a database are not what SQLite wrote. */
export function isDamage(code: string): boolean {
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function isFull(code: string): boolean {
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
}

function isReadOnly(code: string): boolean {
  return code.startsWith('SQLITE_READONLY') || code === 'EROFS' || code === 'EACCES' || code === 'EPERM';
}

function hasRoom(path: string): boolean {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize >= 64 * 1024;
}
