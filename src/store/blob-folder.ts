import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, StoreError, toStoreError } from './store-error.ts';

/** Largest blob, in bytes. They are held in memory whole; a teleport bundle was 50 MB when measured. */
export const blobBytesMax = 256 * 1024 * 1024;

const partial = '.partial';

/** Bytes under the name of their SHA-256, one file each. A file is there whole or not at all, and proven at every read. */
export class BlobFolder {
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder, and removes what a crash left half written in it. Only one process may use it. */
  static async open(folder: string): Promise<BlobFolder> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) if (name.endsWith(partial)) await rm(join(folder, name), { force: true });
    return new BlobFolder(folder);
  }

  /** The name, when the bytes are on disk. Rejects with a `StoreError` when there is no room. */
  async put(bytes: Uint8Array): Promise<string> {
    const name = sha256(bytes);
    if (bytes.length > blobBytesMax)
      throw new RangeError(`A blob holds at most ${blobBytesMax} bytes, not ${bytes.length}`);
    const path = join(this.#folder, name);
    this.#count += 1;
    const draft = `${path}.${this.#count}${partial}`;
    try {
      await writeDurably(draft, bytes);
      await rename(draft, path);
      await syncFolder(this.#folder);
    } catch (error) {
      await rm(draft, { force: true });
      throw toStoreError(error, path) ?? error;
    }
    return name;
  }

  /** Null when there is none of that name. Rejects with `blob/damaged` when the file no longer holds what was put. */
  async get(name: string): Promise<Uint8Array | null> {
    if (!/^[0-9a-f]{64}$/.test(name)) return null;
    const path = join(this.#folder, name);
    const bytes = await readFile(path).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return null;
      throw toStoreError(error, path) ?? error;
    });
    if (bytes !== null && sha256(bytes) !== name)
      throw new StoreError('blob/damaged', `Cannot believe the stored bytes "${name}": the file is damaged`);
    return bytes;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
