import { constants } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkout } from './checkout.ts';

/**
 * Runs `work` with a copy of the worktree's index, to be named in `GIT_INDEX_FILE`, and deletes it afterwards: what is
 * staged in the real one stays as the person or the agent left it.
 */
export async function withTemporaryIndex<T>(
  { gitDir }: Checkout,
  work: (env: { GIT_INDEX_FILE: string }) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'concert-index-'));
  try {
    const index = join(folder, 'index');
    await copyFile(join(gitDir, 'index'), index, constants.COPYFILE_FICLONE).catch((error: NodeJS.ErrnoException) => {
      // A worktree without any file checked out has no index yet.
      if (error.code !== 'ENOENT') throw error;
    });
    return await work({ GIT_INDEX_FILE: index });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
