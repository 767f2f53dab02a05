import { lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { assert } from '../base/index.ts';
import { createFile, replaceFile } from './atomic-file.ts';
import { isSlug } from './slug.ts';

/**
 * The folder of one project's worktrees. `<slug>/` is a session's worktree; beside them, in folders no slug can be
 * named like:
 * - `.claims/<slug>.json` says whose a slug is; it comes first and goes last.
 * - `.making/<session>-<chance>/<slug>` is a worktree being made, worth nothing until it is moved into place.
 * - `.removing/<slug>` was moved away to be looked at once more; found after a crash, it moves back.
 * - `.discarded/` was decided: whatever is in there may be deleted at any time.
 */
export interface Shelf {
  /** Without symbolic links. */
  folder: string;
}

const inner = ['.claims', '.making', '.removing', '.discarded'] as const;

export async function openShelf(worktreesDir: string, project: string): Promise<Shelf> {
  assert(isSlug(project), `Project folder ${JSON.stringify(project)} is not a slug`);
  await mkdir(worktreesDir, { recursive: true, mode: 0o700 });
  const folder = join(await realpath(worktreesDir), project);
  for (const path of [folder, ...inner.map((name) => join(folder, name))]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const found = await lstat(path);
    assert(found.isDirectory(), `${path} is a link or a file where only this program makes folders`);
  }
  return { folder };
}

const WorktreeClaim = z.strictObject({
  schema: z.literal('concert/worktree-claim@1'),
  session: z.string(),
  slug: z.string(),
  branch: z.string(),
  /** True when the branch was made for the session and goes with it. */
  ownsBranch: z.boolean(),
  baseRef: z.string(),
  baseCommit: z.string(),
  commonDir: z.string(),
  /** False until the worktree stood whole in its place once. From then on its content is the session's. */
  isReady: z.boolean(),
});
/** Which session a slug belongs to, and what its worktree was to be: enough to go on after a crash. */
export type WorktreeClaim = z.infer<typeof WorktreeClaim>;

export async function readClaim(shelf: Shelf, slug: string): Promise<WorktreeClaim | undefined> {
  let text: string;
  try {
    text = await readFile(claimPath(shelf, slug), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return WorktreeClaim.parse(JSON.parse(text));
  } catch {
    // A damaged claim keeps its slug taken, so nothing is overwritten; it just belongs to nobody who asks.
    return undefined;
  }
}

export async function findClaim(shelf: Shelf, session: string, commonDir: string): Promise<WorktreeClaim | undefined> {
  for (const name of await readdir(join(shelf.folder, '.claims'))) {
    if (!name.endsWith('.json')) continue;
    const claim = await readClaim(shelf, name.slice(0, -'.json'.length));
    if (claim?.session === session && claim.commonDir === commonDir) return claim;
  }
  return undefined;
}

/** False when the slug is taken already. */
export async function makeClaim(shelf: Shelf, claim: WorktreeClaim): Promise<boolean> {
  return await createFile(claimPath(shelf, claim.slug), textOf(claim));
}

export async function replaceClaim(shelf: Shelf, claim: WorktreeClaim): Promise<void> {
  await replaceFile(claimPath(shelf, claim.slug), textOf(claim));
}

export async function dropClaim(shelf: Shelf, slug: string): Promise<void> {
  await rm(claimPath(shelf, slug), { force: true });
}

/** A new empty folder for a worktree being made. */
export async function makingFolder(shelf: Shelf, session: string): Promise<string> {
  return await mkdtemp(join(shelf.folder, '.making', `${session}-`));
}

/** Folders an earlier attempt of this session left behind. */
export async function leftFromMaking(shelf: Shelf, session: string): Promise<string[]> {
  const making = join(shelf.folder, '.making');
  const names = await readdir(making);
  return names.filter((name) => name.startsWith(`${session}-`)).map((name) => join(making, name));
}

/**
 * Deletes what earlier removals decided on but did not finish. A folder that resists (a file just being written, no
 * permission) stays for the next time.
 */
export async function emptyDiscarded(shelf: Shelf): Promise<void> {
  const discarded = join(shelf.folder, '.discarded');
  for (const name of await readdir(discarded).catch(() => []))
    await rm(join(discarded, name), { recursive: true, force: true, maxRetries: 2 }).catch(() => {});
}

/**
 * Deletes what removals of any project decided on and died over. For the start of a daemon; safe at any time, and
 * never touches a worktree that was not given up.
 */
export async function sweepWorktrees(worktreesDir: string): Promise<void> {
  for (const name of await readdir(worktreesDir).catch(() => []))
    if (isSlug(name)) await emptyDiscarded({ folder: join(worktreesDir, name) });
}

function claimPath(shelf: Shelf, slug: string): string {
  assert(isSlug(slug), `${JSON.stringify(slug)} is not a slug`);
  return join(shelf.folder, '.claims', `${slug}.json`);
}

function textOf(claim: WorktreeClaim): string {
  return `${JSON.stringify(claim, null, 1)}\n`;
}
