import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ok } from '../base/index.ts';
import { type Checkout, openCheckout } from './checkout.ts';
import { findNestedWork, type NestedWork } from './nested-repositories.ts';
import { counted, listed, quoted } from './printable.ts';
import { branchTip } from './refs.ts';
import type { GitResult } from './refusals.ts';
import { readCommit } from './repository.ts';
import type { GitProgram } from './repository-programs.ts';
import type { Git } from './run-git.ts';
import { dirtyFiles, readStatus, type Status } from './status.ts';

/** Commits named in the evidence; all are counted. */
const commitsNamedMax = 20;

/** What a worktree holds that would be lost with it. Names and subjects are untrusted text. */
export interface RemovalEvidence {
  slug: string;
  /** False when the folder is gone already; then only the branch is left to judge. */
  isPresent: boolean;
  /** Commit checked out, and the commit the session's own branch points at; null when there is none. */
  head: string | null;
  branchTip: string | null;
  /** Files that are in no commit. Links the project's setup made are not counted. */
  dirty: Status;
  /** Commits no other branch, remote branch or tag has; the newest ones by name. */
  unmerged: { count: number; newest: { commit: string; subject: string }[] };
  /** Repositories inside with work of their own. Not even a forced removal takes those. */
  nested: NestedWork[];
  /** Reason of a lock someone put on the worktree, perhaps empty. */
  locked: string | null;
  /** Stashes made on this branch. They belong to the repository and stay. */
  stashes: number;
  /** Ignored files and folders: they go with the worktree and are in no backup. */
  ignored: string[];
}

export interface EvidenceOptions {
  slug: string;
  /** Folder to look at; null when there is none any more. */
  folder: string | null;
  /** Any folder of the repository that stays. */
  cwd: string;
  /** Root of the main worktree, where links of the setup lead. */
  projectRoot: string;
  /** Branch made for the session; null when the branch is the person's own and stays. */
  branch: string | null;
  /** Commits from here back are not the session's work. */
  baseCommit: string | null;
  locked: string | null;
  trustedPrograms: readonly GitProgram[];
  /** Submodules name their place by relative paths, so in a folder that was moved they cannot be looked into. */
  isMoved?: boolean;
}

export async function readEvidence(git: Git, options: EvidenceOptions): Promise<GitResult<RemovalEvidence>> {
  const { slug, folder, cwd, branch, locked } = options;
  const tip = branch === null ? null : await branchTip(git, cwd, branch);
  const none: Status = { changed: [], untracked: [], conflicted: [], ignored: [] };
  const evidence: RemovalEvidence = {
    slug,
    isPresent: folder !== null,
    head: null,
    branchTip: tip,
    dirty: none,
    unmerged: { count: 0, newest: [] },
    nested: [],
    locked,
    stashes: branch === null ? 0 : await countStashes(git, cwd, branch),
    ignored: [],
  };
  if (folder !== null) {
    const opened = await openCheckout(git, folder, options.trustedPrograms);
    if (!opened.ok) return opened;
    const checkout = opened.value;
    const status = await readStatus(checkout, { untracked: 'files', withIgnored: true });
    evidence.head = await readCommit(checkout.git, folder, 'HEAD');
    if (options.isMoved !== true) evidence.nested = await findNestedWork(git, checkout, status);
    evidence.ignored = status.ignored;
    evidence.dirty = { ...status, untracked: await ownUntracked(checkout, status, options.projectRoot), ignored: [] };
  }
  evidence.unmerged = await readUnmerged(git, options, [evidence.head, evidence.branchTip]);
  return ok(evidence);
}

/** True when removing the worktree and its branch loses nothing. */
export function isSafe(evidence: RemovalEvidence): boolean {
  return (
    dirtyFiles(evidence.dirty).length === 0 &&
    evidence.unmerged.count === 0 &&
    evidence.nested.length === 0 &&
    evidence.locked === null
  );
}

/** What would be lost, as one clause: `it has 2 uncommitted files ("a", "b") and 1 commit …`. */
export function spokenEvidence({ dirty, unmerged, nested, locked }: RemovalEvidence): string {
  const parts: string[] = [];
  const files = dirtyFiles(dirty);
  if (files.length > 0) parts.push(`${counted(files.length, 'uncommitted file')} (${listed(files)})`);
  if (unmerged.count > 0) {
    const subjects = listed(unmerged.newest.map(({ subject }) => subject));
    parts.push(`${counted(unmerged.count, 'commit')} on no other branch (${subjects})`);
  }
  for (const { path, what } of nested) parts.push(`a repository of its own in ${quoted(path)} with ${what}`);
  if (locked !== null) parts.push(locked === '' ? 'a lock' : `a lock (${quoted(locked)})`);
  return parts.length === 0 ? 'it has nothing that would be lost' : `it has ${parts.join('; ')}`;
}

/** Without nested repositories, which are told of by themselves, and without links of the setup. */
async function ownUntracked({ root }: Checkout, status: Status, projectRoot: string): Promise<string[]> {
  const own: string[] = [];
  for (const path of status.untracked)
    if (!path.endsWith('/') && !(await isSetupLink(join(root, path), join(projectRoot, path)))) own.push(path);
  return own;
}

async function isSetupLink(path: string, target: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found?.isSymbolicLink() === true && (await readlink(path)) === target;
}

async function readUnmerged(
  git: Git,
  { cwd, branch, baseCommit }: EvidenceOptions,
  tips: readonly (string | null)[],
): Promise<RemovalEvidence['unmerged']> {
  const starts = [...new Set(tips.filter((tip) => tip !== null))];
  if (starts.length === 0) return { count: 0, newest: [] };
  const others = [...(branch === null ? [] : [`--exclude=${branch}`]), '--branches', '--remotes', '--tags'];
  const bases = baseCommit !== null && (await readCommit(git, cwd, baseCommit)) !== null ? [baseCommit] : [];
  const range = [...starts, '--not', ...others, ...bases, '--'];
  const count = Number((await git.run(['rev-list', '--count', ...range], { cwd })).text.trim());
  if (count === 0) return { count, newest: [] };
  const format = ['-z', '--format=%H %s', '--encoding=UTF-8', `--max-count=${commitsNamedMax}`];
  const { text } = await git.run(['log', ...format, ...range], { cwd });
  const newest = text
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => ({
      commit: record.slice(0, record.indexOf(' ')),
      subject: record.slice(record.indexOf(' ') + 1),
    }));
  return { count, newest };
}

async function countStashes(git: Git, cwd: string, branch: string): Promise<number> {
  if ((await readCommit(git, cwd, 'refs/stash')) === null) return 0;
  const { text } = await git.run(['log', '-z', '--walk-reflogs', '--format=%gs', 'refs/stash', '--'], { cwd });
  return text.split('\0').filter((line) => line.startsWith(`WIP on ${branch}:`) || line.startsWith(`On ${branch}:`))
    .length;
}

/** Reason of a lock as the entry of a worktree has it. */
export async function readLock(adminDir: string): Promise<string | null> {
  return await readFile(join(adminDir, 'locked'), 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}
