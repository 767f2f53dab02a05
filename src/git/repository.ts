import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { ok, refuse } from '../base/index.ts';
import { isInside } from './inside.ts';
import { quoted } from './printable.ts';
import { explained, type GitResult } from './refusals.ts';
import type { Git } from './run-git.ts';

/** Where the repository around a folder is. All paths are absolute and without symbolic links. */
export interface RepositoryPlace {
  /** The project: the main worktree's folder, or the git folder of a bare repository. The same for all its worktrees. */
  root: string;
  /** The worktree the folder asked about lies in; null in a bare repository. */
  worktree: string | null;
  gitDir: string;
  /** Shared by all worktrees: branches, objects, configuration. */
  commonDir: string;
  isBare: boolean;
  /** True in a worktree added beside the main one. */
  isLinked: boolean;
}

/** What a folder says about the repository it lies in. */
export interface Repository extends RepositoryPlace {
  /** Commit checked out here; null before the first commit. */
  head: string | null;
  /** Branch checked out here; null when the head is detached. */
  branch: string | null;
  /** Where work is usually merged: what `origin` calls its head, else `main` or `master`, else the branch here. */
  defaultBranch: string | null;
}

/** Reads the facts of the repository around `path`. Refuses with `git/not-a-repository` or what the world did. */
export async function readRepository(git: Git, path: string): Promise<GitResult<Repository>> {
  return await explained(async () => {
    const found = await findRepository(git, path);
    if (!found.ok) return found;
    const cwd = found.value.worktree ?? found.value.commonDir;
    const branch = await readSymbolicRef(git, cwd, 'HEAD', 'refs/heads/');
    return ok({
      ...found.value,
      head: await readCommit(git, cwd, 'HEAD'),
      branch,
      defaultBranch: await readDefaultBranch(git, cwd, branch),
    });
  });
}

/** Finds the repository around `path`. Refuses as `readRepository` does. */
export async function findRepository(git: Git, path: string): Promise<GitResult<RepositoryPlace>> {
  return await explained(async () => {
    const folder = await usableFolder(path);
    if (!folder.ok) return folder;
    const { worktree, gitDir, commonDir, isBare } = await readPlaces(git, folder.value);
    if (!isBare && (worktree === null || !isInside(worktree, folder.value)))
      return refuse(
        'git/not-a-repository',
        `${quoted(path)} lies in a repository, but not among its files: in its .git, or they are said to be elsewhere`,
        'Give the folder that has the files',
      );
    const root = await mainRoot(git, { worktree, gitDir, commonDir, isBare });
    return ok({ root, worktree, gitDir, commonDir, isBare, isLinked: gitDir !== commonDir });
  });
}

async function usableFolder(path: string): Promise<GitResult<string>> {
  if (path.includes('\0')) return refuse('git/not-a-repository', `${quoted(path)} cannot be a path`);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG' || error.code === 'ELOOP')
      return null;
    throw error;
  });
  if (found === null) return refuse('git/not-a-repository', `${quoted(path)} does not exist`);
  if (!found.isDirectory()) return refuse('git/not-a-repository', `${quoted(path)} is a file, not a folder`);
  return ok(await realpath(path));
}

export interface GitPlaces {
  worktree: string | null;
  gitDir: string;
  commonDir: string;
  isBare: boolean;
}

/** Where git says it is when called in `cwd`. Throws `GitError` outside a repository. */
export async function readPlaces(git: Git, cwd: string): Promise<GitPlaces> {
  const flags = ['--is-bare-repository', '--is-inside-work-tree'];
  const [bare, inWorktree] = (await git.run(['rev-parse', ...flags], { cwd })).text.trim().split('\n');
  const isInWorktree = inWorktree === 'true';
  const paths = ['--absolute-git-dir', '--git-common-dir', ...(isInWorktree ? ['--show-toplevel'] : [])];
  const [gitDir, commonDir, worktree] = await Promise.all(
    (await revParseLines(git, cwd, paths)).map(async (path) => await realpath(resolve(cwd, path))),
  );
  return {
    worktree: worktree ?? null,
    gitDir: gitDir ?? cwd,
    commonDir: commonDir ?? cwd,
    isBare: bare === 'true',
  };
}

/** One answer per argument; asked one by one when a path has a line break in it. */
async function revParseLines(git: Git, cwd: string, args: readonly string[]): Promise<string[]> {
  const { text } = await git.run(['rev-parse', ...args], { cwd });
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length === args.length) return lines;
  return await Promise.all(
    args.map(async (arg) => (await git.run(['rev-parse', arg], { cwd })).text.replace(/\n$/, '')),
  );
}

async function mainRoot(git: Git, places: GitPlaces): Promise<string> {
  const { commonDir, gitDir, worktree } = places;
  if (gitDir === commonDir) return worktree ?? commonDir;
  if (basename(commonDir) === '.git') return dirname(commonDir);
  // A submodule's git folder lies in its parent's and names its files; any other is a bare repository's.
  const args = ['config', '--file', `${commonDir}/config`, '--null', '--get', 'core.worktree'];
  const { text } = await git.run(args, { cwd: commonDir, exitCodes: [0, 1] });
  if (text === '') return commonDir;
  const stated = resolve(commonDir, text.replace(/\0$/, ''));
  return await realpath(stated).catch(() => commonDir);
}

/** The branch a symbolic ref names, without `prefix`; null when it is no such ref. */
async function readSymbolicRef(git: Git, cwd: string, name: string, prefix: string): Promise<string | null> {
  const { text, exitCode } = await git.run(['symbolic-ref', '--quiet', name], { cwd, exitCodes: [0, 1, 128] });
  const target = text.replace(/\n$/, '');
  return exitCode === 0 && target.startsWith(prefix) ? target.slice(prefix.length) : null;
}

async function readDefaultBranch(git: Git, cwd: string, current: string | null): Promise<string | null> {
  const ofOrigin = await readSymbolicRef(git, cwd, 'refs/remotes/origin/HEAD', 'refs/remotes/origin/');
  if (ofOrigin !== null) return ofOrigin;
  for (const name of ['main', 'master']) if ((await readCommit(git, cwd, `refs/heads/${name}`)) !== null) return name;
  return current;
}

/** The commit a name stands for here, or null when there is none. Safe for any text. */
export async function readCommit(git: Git, cwd: string, name: string): Promise<string | null> {
  if (name.includes('\0')) return null;
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
  const { text, exitCode } = await git.run(args, { cwd, exitCodes: [0, 1, 128] });
  return exitCode === 0 ? text.trim() : null;
}
