import { GitError } from './git-error.ts';
import type { Git } from './run-git.ts';

/** A worktree as the repository has it on its list; the folder may be gone. */
export interface WorktreeEntry {
  path: string;
  head: string | null;
  /** Without `refs/heads/`; null when detached or bare. */
  branch: string | null;
  /** Reason of a lock, empty when none was given; null when not locked. */
  locked: string | null;
}

const usageExitCode = 129;

/** All worktrees of the repository at `cwd`, the main one first. */
export async function listWorktrees(git: Git, cwd: string): Promise<WorktreeEntry[]> {
  const args = ['worktree', 'list', '--porcelain'];
  try {
    return parseWorktrees((await git.run([...args, '-z'], { cwd })).text, '\0');
  } catch (error) {
    // `-z` came with 2.36. Before it, a path with a line break cannot be told from the next line.
    if (!(error instanceof GitError) || error.exitCode !== usageExitCode) throw error;
    return parseWorktrees((await git.run(args, { cwd })).text, '\n');
  }
}

export function parseWorktrees(text: string, end: '\0' | '\n'): WorktreeEntry[] {
  const entries: WorktreeEntry[] = [];
  for (const record of text.split(end + end)) {
    const entry: WorktreeEntry = { path: '', head: null, branch: null, locked: null };
    for (const line of record.split(end)) {
      const at = line.indexOf(' ');
      const [word, rest] = at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
      if (word === 'worktree') entry.path = rest;
      else if (word === 'HEAD') entry.head = rest;
      else if (word === 'branch') entry.branch = rest.replace(/^refs\/heads\//, '');
      else if (word === 'locked') entry.locked = rest;
    }
    if (entry.path !== '') entries.push(entry);
  }
  return entries;
}

/** Takes a worktree off the list, locked or not, if it is still on it. Its folder must be gone already. */
export async function dropWorktreeEntry(git: Git, cwd: string, path: string): Promise<void> {
  try {
    await git.run(['worktree', 'remove', '--force', '--force', '--', path], { cwd });
  } catch (error) {
    if (!(error instanceof GitError) || !/is not a working tree/.test(error.stderr)) throw error;
  }
}
