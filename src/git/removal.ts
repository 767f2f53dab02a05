import { randomBytes } from 'node:crypto';
import { lstat, realpath, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { assert, ok, refuse } from '../base/index.ts';
import { keepBackup, keepCommit } from './backup.ts';
import { openCheckout } from './checkout.ts';
import { quoted } from './printable.ts';
import { deleteRef } from './refs.ts';
import { explained, type GitResult } from './refusals.ts';
import {
  type EvidenceOptions,
  isSafe,
  type RemovalEvidence,
  readEvidence,
  readLock,
  spokenEvidence,
} from './removal-evidence.ts';
import { findRepository } from './repository.ts';
import type { GitProgram } from './repository-programs.ts';
import type { Git } from './run-git.ts';
import { dropClaim, emptyDiscarded, openShelf, readClaim, type Shelf, type WorktreeClaim } from './shelf.ts';
import { isSlug, projectSlug } from './slug.ts';
import { createWorktree } from './worktree.ts';
import { dropWorktreeEntry, listWorktrees } from './worktree-list.ts';
import { inspectPlace } from './worktree-place.ts';

export interface RemovalOptions {
  /** A folder of the repository that stays, best its root. */
  repo: string;
  worktreesDir: string;
  /** The worktree, as `createWorktree` gave it. Nothing else is ever removed. */
  path: string;
  trustedPrograms?: readonly GitProgram[];
}

export interface RemoveWorktreeOptions extends RemovalOptions {
  /** Remove also what would be lost, after a backup of it. Not what lies in repositories of its own inside. */
  force?: boolean;
  /** Now, in ms since the epoch: names the backup. */
  at: number;
}

export interface RemovedWorktree {
  /** Where all that was uncommitted or unmerged is kept; null when there was nothing of that kind. */
  backupRef: string | null;
  /** The session's own branch, when it was deleted. */
  deletedBranch: string | null;
  notes: string[];
}

/** Says what removing a worktree would lose. Changes nothing, except that a removal that died half-way is taken back. */
export async function inspectRemoval(git: Git, options: RemovalOptions): Promise<GitResult<RemovalEvidence>> {
  return await explained(async () => {
    const located = await locate(git, options);
    return located.ok ? await readEvidence(git, located.value.evidence) : located;
  });
}

/**
 * Removes a worktree and, when it was made for the session, its branch. Nothing may work in it any more. Refuses with
 * `git/unsafe-removal` and the evidence when something would be lost; `force` keeps that under `refs/concert/trash/`
 * first. The folder is moved aside and looked at once more before anything is deleted, so a change in the last moment
 * brings it back. Safe to kill at any moment and to ask again.
 */
export async function removeWorktree(git: Git, options: RemoveWorktreeOptions): Promise<GitResult<RemovedWorktree>> {
  return await explained(async () => {
    const located = await locate(git, options);
    if (!located.ok) return located;
    const { evidence: where } = located.value;
    const before = await judge(git, where, options.force);
    if (!before.ok) return before;
    return where.folder === null
      ? await removeRest(git, located.value, before.value, options)
      : await removeFolder(git, located.value, where.folder, options);
  });
}

interface Located {
  shelf: Shelf;
  slug: string;
  path: string;
  claim: WorktreeClaim | undefined;
  evidence: EvidenceOptions;
}

async function judge(git: Git, where: EvidenceOptions, force = false): Promise<GitResult<RemovalEvidence>> {
  const read = await readEvidence(git, where);
  if (!read.ok) return read;
  const evidence = read.value;
  if (evidence.nested.length > 0)
    return refuse(
      'git/unsafe-removal',
      `The worktree ${quoted(evidence.slug)} stays: ${spokenEvidence(evidence)}. No backup can hold a repository inside it`,
      'Commit and push in there, or delete that folder yourself',
    );
  if (isSafe(evidence) || force) return read;
  return refuse('git/unsafe-removal', `The worktree ${quoted(evidence.slug)} stays: ${spokenEvidence(evidence)}`);
}

async function removeFolder(
  git: Git,
  located: Located,
  folder: string,
  options: RemoveWorktreeOptions,
): Promise<GitResult<RemovedWorktree>> {
  const { shelf, slug, path } = located;
  const aside = join(shelf.folder, '.removing', slug);
  await rename(folder, aside);
  let backupRef: string | null = null;
  let evidence: RemovalEvidence | undefined;
  try {
    assert((await lstat(aside)).isDirectory(), `${aside} turned into something else while it was moved`);
    const judged = await judge(git, { ...located.evidence, folder: aside, isMoved: true }, options.force);
    if (!judged.ok) return judged;
    if (!isSafe(judged.value)) {
      const opened = await openCheckout(git, aside, options.trustedPrograms);
      if (!opened.ok) return opened;
      backupRef = await keepBackup(opened.value, judged.value, options.at);
    }
    evidence = judged.value;
  } finally {
    if (evidence === undefined) await rename(aside, path);
  }
  await rename(aside, join(shelf.folder, '.discarded', `${slug}-${randomBytes(6).toString('hex')}`));
  return await finish(git, located, evidence, backupRef);
}

/** The folder is gone already; what is left is the branch, git's entry and the claim. */
async function removeRest(
  git: Git,
  located: Located,
  evidence: RemovalEvidence,
  options: RemoveWorktreeOptions,
): Promise<GitResult<RemovedWorktree>> {
  const tip = evidence.unmerged.count > 0 ? evidence.branchTip : null;
  const backupRef = tip === null ? null : await keepCommit(git, located.evidence.cwd, located.slug, options.at, tip);
  return await finish(git, located, evidence, backupRef);
}

async function finish(
  git: Git,
  { shelf, slug, path, evidence: where }: Located,
  { branchTip }: RemovalEvidence,
  backupRef: string | null,
): Promise<GitResult<RemovedWorktree>> {
  const { cwd, branch } = where;
  const notes: string[] = [];
  const ours = new Set([path, join(shelf.folder, '.removing', slug)]);
  for (const entry of await listWorktrees(git, cwd))
    if (ours.has(entry.path)) await dropWorktreeEntry(git, cwd, entry.path);

  let deletedBranch: string | null = null;
  if (branch !== null && branchTip !== null) {
    const kept = await deleteBranch(git, cwd, branch, branchTip);
    if (kept === null) deletedBranch = branch;
    else notes.push(kept);
  }
  await dropClaim(shelf, slug);
  await emptyDiscarded(shelf);
  return ok({ backupRef, deletedBranch, notes });
}

/** Null when the branch is gone, else why it was kept. */
async function deleteBranch(git: Git, cwd: string, branch: string, tip: string): Promise<string | null> {
  const elsewhere = (await listWorktrees(git, cwd)).find((entry) => entry.branch === branch);
  if (elsewhere !== undefined)
    return `The branch ${quoted(branch)} is kept: it is checked out in ${quoted(elsewhere.path)}`;
  if (!(await deleteRef(git, cwd, `refs/heads/${branch}`, tip)))
    return `The branch ${quoted(branch)} is kept: it moved while the worktree was removed`;
  // What git remembers about its upstream; most branches have none.
  await git.run(['config', '--remove-section', `branch.${branch}`], { cwd, exitCodes: [0, 128] });
  return null;
}

/**
 * Finds the worktree by names this program gave and nothing else: a real folder with a slug for a name, directly in the
 * project's own folder, belonging to this repository.
 */
async function locate(git: Git, options: RemovalOptions): Promise<GitResult<Located>> {
  const repository = await findRepository(git, options.repo);
  if (!repository.ok) return repository;
  const { root, commonDir } = repository.value;
  const shelf = await openShelf(options.worktreesDir, projectSlug(root));
  const slug = basename(resolve(options.path));
  const parent = await realpath(dirname(resolve(options.path))).catch(() => null);
  if (parent !== shelf.folder || !isSlug(slug))
    return refuse('git/unsafe-removal', `${quoted(options.path)} is no worktree made for a session of ${quoted(root)}`);
  const path = join(shelf.folder, slug);
  await takeBack(shelf, slug, commonDir);

  const claim = await readClaim(shelf, slug);
  let place = await inspectPlace(path, commonDir);
  if (place.type === 'unlinked' && claim !== undefined) {
    const repaired = await createWorktree(git, { ...options, session: claim.session, name: slug });
    if (!repaired.ok) return repaired;
    place = await inspectPlace(path, commonDir);
  }
  if (place.type === 'foreign' || place.type === 'unlinked') {
    const why = place.type === 'foreign' ? place.why : 'git does not know it';
    return refuse(
      'git/unsafe-removal',
      `${quoted(path)} is left as it is: ${why}`,
      'Look into it, and move it away yourself',
    );
  }
  const entry = (await listWorktrees(git, root)).find((known) => known.path === path);
  const evidence: EvidenceOptions = {
    slug,
    folder: place.type === 'linked' ? path : null,
    cwd: root,
    projectRoot: root,
    branch: claim?.ownsBranch === true ? claim.branch : null,
    baseCommit: claim?.baseCommit ?? null,
    locked: place.type === 'linked' ? await readLock(place.adminDir) : (entry?.locked ?? null),
    trustedPrograms: options.trustedPrograms ?? [],
  };
  return ok({ shelf, slug, path, claim, evidence });
}

/** Moves a worktree back that a removal had moved aside when it died. */
async function takeBack(shelf: Shelf, slug: string, commonDir: string): Promise<void> {
  const aside = join(shelf.folder, '.removing', slug);
  const path = join(shelf.folder, slug);
  if ((await inspectPlace(aside, commonDir)).type === 'free') return;
  if ((await inspectPlace(path, commonDir)).type === 'free') await rename(aside, path);
}
