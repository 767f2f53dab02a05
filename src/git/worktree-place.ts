import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isSystemError } from './git-error.ts';

/**
 * What stands where a session's worktree belongs:
 * - `free`: nothing, or an empty folder.
 * - `linked`: a worktree of the repository; not `isListed` when git looks for it elsewhere, because it was moved.
 * - `unlinked`: files whose `.git` leads to an entry the repository no longer has, or that lost their `.git`; with the
 *   entry that still names this place, where there is one.
 * - `foreign`: something else.
 */
export type WorktreePlace =
  | { type: 'free' }
  | { type: 'linked'; adminDir: string; isListed: boolean }
  | { type: 'unlinked'; adminDir: string | null }
  | { type: 'foreign'; why: string };

export async function inspectPlace(path: string, commonDir: string): Promise<WorktreePlace> {
  const found = await lstat(path).catch(ifMissing(null));
  if (found === null) return { type: 'free' };
  if (found.isSymbolicLink()) return { type: 'foreign', why: 'it is a symbolic link' };
  if (!found.isDirectory()) return { type: 'foreign', why: 'it is a file' };

  const dotGit = join(path, '.git');
  const link = await lstat(dotGit).catch(ifMissing(null));
  if (link === null)
    return (await readdir(path)).length === 0
      ? { type: 'free' }
      : { type: 'unlinked', adminDir: await entryOf(dotGit, commonDir) };
  if (!link.isFile()) return { type: 'foreign', why: 'it is a repository of its own' };
  const target = /^gitdir: (.+?)\n*$/s.exec(await readFile(dotGit, 'utf8'))?.[1];
  if (target === undefined) return { type: 'foreign', why: 'its .git cannot be read' };

  const adminDir = resolve(path, target);
  if (!(await isSamePath(dirname(adminDir), join(commonDir, 'worktrees'))))
    return { type: 'foreign', why: 'it belongs to another repository' };
  const listed = await readBackLink(adminDir);
  if (listed === null) return { type: 'unlinked', adminDir: null };
  return { type: 'linked', adminDir, isListed: listed === dotGit };
}

/** Path of the `.git` file an entry says it belongs to; null when there is no such entry. */
async function readBackLink(adminDir: string): Promise<string | null> {
  const text = await readFile(join(adminDir, 'gitdir'), 'utf8').catch(ifMissing(null));
  return text === null ? null : resolve(adminDir, text.trimEnd());
}

async function entryOf(dotGit: string, commonDir: string): Promise<string | null> {
  const entries = join(commonDir, 'worktrees');
  for (const name of await readdir(entries).catch(ifMissing([])))
    if ((await readBackLink(join(entries, name))) === dotGit) return join(entries, name);
  return null;
}

/** The worktrees folder itself goes with its last entry, so a missing one is compared by name. */
async function isSamePath(one: string, other: string): Promise<boolean> {
  return one === other || (await realpath(one).catch(ifMissing(one))) === other;
}

function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return value;
    throw error;
  };
}
