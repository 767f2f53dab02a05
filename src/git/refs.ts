import { GitError } from './git-error.ts';
import { readCommit } from './repository.ts';
import type { Git } from './run-git.ts';

/** The commit a branch points at, or null. `branch` is a validated name. */
export async function branchTip(git: Git, cwd: string, branch: string): Promise<string | null> {
  return await readCommit(git, cwd, `refs/heads/${branch}`);
}

/** True when a ref of that name exists, or lies below it, so that no branch can take the name. */
export async function isNameTaken(git: Git, cwd: string, branch: string): Promise<boolean> {
  const args = ['for-each-ref', '--count=1', '--format=%(refname)', `refs/heads/${branch}`];
  return (await git.run(args, { cwd })).text !== '';
}

/** The branch whose name is a folder of `branch`, such as `concert` for `concert/fix-login`: git cannot have both. */
export async function blockingBranch(git: Git, cwd: string, branch: string): Promise<string | null> {
  const parts = branch.split('/');
  for (let count = 1; count < parts.length; count++) {
    const parent = parts.slice(0, count).join('/');
    if ((await branchTip(git, cwd, parent)) !== null) return parent;
  }
  return null;
}

/**
 * Makes a ref, or finds that it is at `commit` already: a git that outlived a killed daemon may just have made it.
 * False when it exists and points elsewhere.
 */
export async function createRef(git: Git, cwd: string, ref: string, commit: string, message: string): Promise<boolean> {
  try {
    await git.run(['update-ref', '--create-reflog', '-m', message, ref, commit, ''], { cwd });
    return true;
  } catch (error) {
    if (!(error instanceof GitError) || !/reference already exists/.test(error.stderr)) throw error;
    return (await readCommit(git, cwd, ref)) === commit;
  }
}

/** Deletes a ref that still points at `commit`, or finds it gone. False when it points elsewhere and was kept. */
export async function deleteRef(git: Git, cwd: string, ref: string, commit: string): Promise<boolean> {
  try {
    await git.run(['update-ref', '-d', ref, commit], { cwd });
    return true;
  } catch (error) {
    if (!(error instanceof GitError) || !/but expected|unable to resolve reference/.test(error.stderr)) throw error;
    return (await readCommit(git, cwd, ref)) === null;
  }
}

/** True when some ref of the repository still leads to the commit. */
export async function isReachable(git: Git, cwd: string, commit: string): Promise<boolean> {
  const args = ['for-each-ref', '--count=1', '--format=%(refname)', `--contains=${commit}`];
  return (await git.run(args, { cwd })).text !== '';
}
