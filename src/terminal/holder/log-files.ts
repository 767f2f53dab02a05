import {
  closeSync,
  constants,
  fdatasync,
  ftruncateSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writev,
  writevSync,
} from 'node:fs';

/** What a byte log asks of the file system; tests put a failing one in its place. */
export interface LogFiles {
  /** Makes the folder and its parents, mode 0700. */
  makeFolder(path: string): void;
  /** Opens for writing, made with mode 0600 when absent. */
  open(path: string): number;
  /** Written bytes, possibly fewer than given. */
  write(descriptor: number, buffers: readonly Uint8Array[], position: number): number;
  writeLater(
    descriptor: number,
    buffers: readonly Uint8Array[],
    position: number,
    done: (error: Error | null, written: number) => void,
  ): void;
  truncate(descriptor: number, bytes: number): void;
  /** Brings what was written to the disk and closes. */
  syncAndClose(descriptor: number, done: () => void): void;
  close(descriptor: number): void;
  remove(path: string): void;
}

export const realLogFiles: LogFiles = {
  makeFolder: (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
  open: (path) => openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600),
  write: (descriptor, buffers, position) => writevSync(descriptor, buffers as Uint8Array[], position),
  writeLater: (descriptor, buffers, position, done) => writev(descriptor, buffers as Uint8Array[], position, done),
  truncate: ftruncateSync,
  syncAndClose: (descriptor, done) =>
    fdatasync(descriptor, () => {
      closeSync(descriptor);
      done();
    }),
  close: closeSync,
  remove: unlinkSync,
};
