import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readlink, realpath, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ok, refuse } from '../base/index.ts';
import type { Checkout } from './checkout.ts';
import { isSystemError } from './git-error.ts';
import { isInside } from './inside.ts';
import { counted, quoted } from './printable.ts';
import type { GitResult } from './refusals.ts';
import type { Git } from './run-git.ts';

/** Files and bytes one project may have copied into each worktree. What is larger is better linked or installed. */
const copiedFilesMax = 2000;
const copiedBytesMax = 256 * 1024 * 1024;

/** From the main worktree to a new one, both without symbolic links. */
export interface Transfer {
  /** The main worktree, opened. */
  from: Checkout;
  to: string;
}

/**
 * Copies ignored files that match the patterns (`*`, `?`, `[…]` within a name, `**` across folders, a folder with all
 * it holds). What stands in the worktree already is left alone. Links are not followed and not copied: each one is told
 * in a note. Refuses with `project/setup-failed` above the bounds, before anything is copied.
 */
export async function copyIgnored({ from, to }: Transfer, patterns: readonly string[]): Promise<GitResult<string[]>> {
  if (patterns.length === 0) return ok([]);
  const paths = await ignoredPaths(from, patterns);
  if (paths.length > copiedFilesMax)
    return refuse(
      'project/setup-failed',
      `The project asks to copy ${paths.length} ignored files, more than ${copiedFilesMax}; none was copied`,
      'Link the folder instead, or let a setup command make it',
    );
  const notes: string[] = [];
  const files: { path: string; size: number }[] = [];
  for (const path of paths) {
    const found = await lstat(join(from.root, path)).catch(() => null);
    if (found?.isFile() === true) files.push({ path, size: found.size });
    else notes.push(`${quoted(path)} was not copied: it is a link, no ordinary file, or gone`);
  }
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > copiedBytesMax)
    return refuse(
      'project/setup-failed',
      `The project asks to copy ${counted(files.length, 'ignored file')} of ${bytes} bytes together, more than ${copiedBytesMax}; none was copied`,
      'Link the folder instead, or let a setup command make it',
    );
  for (const { path } of files) {
    const fault = await copyFile(from.root, to, path);
    if (fault !== null) notes.push(`${quoted(path)} was not copied: ${fault}`);
  }
  return ok(notes);
}

/**
 * Makes each path of the worktree a link to the same path of the main one. What is missing there, leads out of the
 * repository or stands in the way is told in a note and skipped; so is a link that git cannot be made to ignore.
 */
export async function linkIgnored({ from, to }: Transfer, paths: readonly string[]): Promise<GitResult<string[]>> {
  const notes: string[] = [];
  for (const path of paths) {
    const fault = await linkOne(from, to, path);
    if (fault !== null) notes.push(`${quoted(path)} was not linked: ${fault}`);
  }
  return ok(notes);
}

async function ignoredPaths({ git, root }: Checkout, patterns: readonly string[]): Promise<string[]> {
  const specs = patterns.map((pattern) => `:(top,glob)${pattern}`);
  const args = ['ls-files', '--others', '--ignored', '--exclude-standard', '-z', '--', ...specs];
  const { text } = await git.run(args, { cwd: root, env: { GIT_LITERAL_PATHSPECS: '0' } });
  return text.split('\0').filter((path) => path !== '' && !path.endsWith('/'));
}

/** Null when the file is there afterwards, else why not. */
async function copyFile(fromRoot: string, toRoot: string, path: string): Promise<string | null> {
  const source = await openInside(fromRoot, path);
  if (source === null) return 'it leads out of the repository, or changed while it was looked at';
  try {
    const { mode, size } = await source.stat();
    if (!(await makeFolders(toRoot, dirname(path)))) return 'a link stands where its folder belongs';
    const target = join(toRoot, path);
    const copy = await open(target, 'wx', mode & 0o777).catch(ifThere);
    if (copy === null) return null;
    try {
      // Up to its present size: a log that grows meanwhile would never end.
      await copy.writeFile(source.createReadStream({ autoClose: false, end: Math.max(0, size - 1) }));
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    } finally {
      await copy.close();
    }
    return null;
  } finally {
    await source.close();
  }
}

/**
 * Opens an ordinary file below `root` for reading. Where the kernel tells what was really opened, that is what is
 * judged, so that a folder swapped for a link in between gives nothing away.
 */
async function openInside(root: string, path: string): Promise<FileHandle | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(root, path), flags).catch(() => null);
  if (file === null) return null;
  const isFile = (await file.stat()).isFile();
  const opened = await readlink(`/proc/self/fd/${file.fd}`).catch(() => realpath(join(root, path)));
  if (isFile && isInside(root, opened)) return file;
  await file.close();
  return null;
}

/** Makes `folder` below `root`, part by part; false when one of them is there and no real folder. */
async function makeFolders(root: string, folder: string): Promise<boolean> {
  let at = root;
  for (const part of folder.split('/').filter((name) => name !== '.')) {
    at = join(at, part);
    await mkdir(at).catch(ifThere);
    if (!(await lstat(at)).isDirectory()) return false;
  }
  return true;
}

async function linkOne({ git, root, commonDir }: Checkout, to: string, path: string): Promise<string | null> {
  const target = join(root, path);
  const link = join(to, path);
  const real = await realpath(target).catch(() => null);
  if (real === null) return 'it is not in the main worktree';
  if (!isInside(root, real)) return 'it leads out of the repository';
  const standing = await lstat(link).catch(() => null);
  if (standing !== null) {
    const isSame = standing.isSymbolicLink() && (await readlink(link)) === target;
    return isSame ? null : 'something stands in its place';
  }
  if (!(await makeFolders(to, dirname(path)))) return 'a link stands where its folder belongs';
  await symlink(target, link);
  if (await isIgnored(git, to, path)) return null;
  await excludeLink(commonDir, path);
  if (await isIgnored(git, to, path)) return null;
  await rm(link);
  return 'git would offer the link to be committed, since a rule of the project says not to ignore it';
}

async function isIgnored(git: Git, root: string, path: string): Promise<boolean> {
  // The command takes no literal pathspecs; with `./` in front no name is magic.
  const args = ['check-ignore', '--quiet', '--', `./${path}`];
  const env = { GIT_LITERAL_PATHSPECS: '0' };
  return (await git.run(args, { cwd: root, env, exitCodes: [0, 1] })).exitCode === 0;
}

/**
 * A rule like `node_modules/` ignores folders only, and a link is none. So the path goes into the repository's own
 * exclude file, which is never committed; in the main worktree it was ignored before.
 */
async function excludeLink(commonDir: string, path: string): Promise<void> {
  await mkdir(join(commonDir, 'info'), { recursive: true });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  await using file = await open(join(commonDir, 'info/exclude'), flags, 0o644);
  await file.write(`\n/${path.replace(/[\\*?[\]!# ]/g, '\\$&')}\n`);
}

function ifThere(error: unknown): null {
  if (isSystemError(error) && error.code === 'EEXIST') return null;
  throw error;
}
