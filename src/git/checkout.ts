import { realpath } from 'node:fs/promises';
import { ok, refuse } from '../base/index.ts';
import { quoted } from './printable.ts';
import type { GitResult } from './refusals.ts';
import { readPlaces } from './repository.ts';
import { type GitProgram, withoutPrograms } from './repository-programs.ts';
import type { Git } from './run-git.ts';

/** A folder of files git looks after, and a git that runs none of the programs its repository names. */
export interface Checkout {
  root: string;
  gitDir: string;
  commonDir: string;
  git: Git;
}

/**
 * Opens the worktree at exactly `path`. Refuses with `git/not-a-repository` when git would look elsewhere: in a folder
 * that lost its `.git`, git silently takes the next repository above.
 */
export async function openCheckout(
  git: Git,
  path: string,
  trustedPrograms: readonly GitProgram[] = [],
): Promise<GitResult<Checkout>> {
  const root = await realpath(path);
  const { worktree, gitDir, commonDir } = await readPlaces(git, root);
  if (worktree !== root)
    return refuse(
      'git/not-a-repository',
      `${quoted(path)} is no worktree any more: its .git is missing or leads elsewhere`,
    );
  const { git: safe } = await withoutPrograms(git, commonDir, trustedPrograms);
  return ok({ root, gitDir, commonDir, git: safe });
}
