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

/** Makes a ref that must not exist yet; git fails when it does. */
export async function createRef(git: Git, cwd: string, ref: string, commit: string, message: string): Promise<void> {
  await git.run(['update-ref', '--create-reflog', '-m', message, ref, commit, ''], { cwd });
}

/** Deletes a ref that must still point at `commit`; git fails when it does not. */
export async function deleteRef(git: Git, cwd: string, ref: string, commit: string): Promise<void> {
  await git.run(['update-ref', '-d', ref, commit], { cwd });
}

/** True when some ref of the repository still leads to the commit. */
export async function isReachable(git: Git, cwd: string, commit: string): Promise<boolean> {
  const args = ['for-each-ref', '--count=1', '--format=%(refname)', `--contains=${commit}`];
  return (await git.run(args, { cwd })).text !== '';
}
