import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkout, openCheckout } from './checkout.ts';
import { counted } from './printable.ts';
import { refusalOf } from './refusals.ts';
import { readCommit } from './repository.ts';
import type { Git } from './run-git.ts';
import { dirtyFiles, readStatus, type Status } from './status.ts';

/** A repository inside a worktree (a submodule, or a clone someone made there) with work that exists nowhere else. */
export interface NestedWork {
  /** Relative to the worktree. */
  path: string;
  /** What would be lost, such as `2 uncommitted files`. */
  what: string;
}

/** Repositories in repositories are looked into this far; deeper ones count as work that cannot be judged. */
const nestingMax = 4;

/** `git` is the plain one: each nested repository gets its own look at the programs it names. */
export async function findNestedWork(git: Git, checkout: Checkout, status: Status, depth = 1): Promise<NestedWork[]> {
  const found: NestedWork[] = [];
  for (const path of await nestedPaths(checkout, status)) {
    if (path.includes('\ufffd')) {
      found.push({ path, what: 'a name that is not UTF-8, so it cannot be looked into' });
      continue;
    }
    if (depth > nestingMax) {
      found.push({ path, what: 'a repository too deep to look into' });
      continue;
    }
    found.push(...(await workIn(git, join(checkout.root, path), path, depth)));
  }
  return found;
}

async function workIn(git: Git, folder: string, path: string, depth: number): Promise<NestedWork[]> {
  try {
    const opened = await openCheckout(git, folder);
    if (!opened.ok) return [{ path, what: opened.message }];
    const status = await readStatus(opened.value, { untracked: 'files' });
    const parts: string[] = [];
    const files = dirtyFiles(status).filter((name) => !name.endsWith('/'));
    if (files.length > 0) parts.push(counted(files.length, 'uncommitted file'));
    const commits = await unpushedCommits(opened.value);
    if (commits > 0) parts.push(`${counted(commits, 'commit')} that no remote has`);
    if ((await readCommit(opened.value.git, folder, 'refs/stash')) !== null) parts.push('a stash');
    const own = parts.length === 0 ? [] : [{ path, what: parts.join(', ') }];
    const deeper = await findNestedWork(git, opened.value, status, depth + 1);
    return [...own, ...deeper.map((work) => ({ ...work, path: `${path}/${work.path}` }))];
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return [{ path, what: refusal.message }];
  }
}

/** Submodules that are checked out or cannot be named, and folders git lists as untracked with a slash at the end though asked for files. */
async function nestedPaths({ git, root }: Checkout, status: Status): Promise<string[]> {
  const clones = status.untracked.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1));
  const { text } = await git.run(['ls-files', '--stage', '-z'], { cwd: root });
  const links = text
    .split('\0')
    .filter((record) => record.startsWith('160000 '))
    .map((record) => record.slice(record.indexOf('\t') + 1));
  const paths: string[] = [];
  for (const path of new Set([...clones, ...links]))
    if (path.includes('\ufffd') || (await hasDotGit(join(root, path)))) paths.push(path);
  return paths;
}

async function hasDotGit(folder: string): Promise<boolean> {
  return await lstat(join(folder, '.git')).then(
    () => true,
    () => false,
  );
}

async function unpushedCommits({ git, root }: Checkout): Promise<number> {
  if ((await readCommit(git, root, 'HEAD')) === null) return 0;
  const { text } = await git.run(['rev-list', '--count', 'HEAD', '--branches', '--not', '--remotes'], { cwd: root });
  return Number(text.trim());
}
