import { readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assert, ok, refuse } from '../base/index.ts';
import { replaceFile } from './atomic-file.ts';
import { validateBranchName } from './branch-name.ts';
import { GitError } from './git-error.ts';
import { counted, listed, quoted } from './printable.ts';
import { blockingBranch, branchTip, createRef, isNameTaken, isReachable } from './refs.ts';
import { explained, type GitResult } from './refusals.ts';
import { type Repository, readCommit, readRepository } from './repository.ts';
import { type GitProgram, withoutPrograms } from './repository-programs.ts';
import { type Git, gitCheckoutTimeoutMs } from './run-git.ts';
import {
  dropClaim,
  findClaim,
  leftFromMaking,
  makeClaim,
  makingFolder,
  openShelf,
  replaceClaim,
  type Shelf,
  type WorktreeClaim,
} from './shelf.ts';
import { projectSlug, toSlug, withSuffix } from './slug.ts';
import { dirtyFiles, readStatus } from './status.ts';
import { dropWorktreeEntry, listWorktrees, type WorktreeEntry } from './worktree-list.ts';
import { inspectPlace } from './worktree-place.ts';

/** `fix-login` to `fix-login-500`: nobody has more sessions of one name, and each try costs a look at the disk. */
const suffixMax = 500;

export interface CreateWorktreeOptions {
  /** Any folder of the repository; a linked worktree gives its own HEAD as the base. */
  repo: string;
  /** Made if missing. The worktree becomes `<worktreesDir>/<project>/<slug>`. */
  worktreesDir: string;
  /** The session's id. Asking again with the same one gives the same worktree, whatever happened in between. */
  session: string;
  /** Any text; the slug is made from it. */
  name: string;
  /** A branch of the person's own instead of a new `concert/<slug>`; made when it does not exist. */
  branch?: string;
  /** Branch, tag or commit to start from; the repository's HEAD if left out. */
  base?: string;
  /** Programs of the repository's own configuration that may run, from the project's trust. */
  trustedPrograms?: readonly GitProgram[];
}

export interface Worktree {
  path: string;
  slug: string;
  branch: string;
  /** True when the branch was made for the session and goes with it. */
  ownsBranch: boolean;
  baseRef: string;
  /** Commit the branch began at. */
  baseCommit: string;
  /** Root of the project. */
  project: string;
  /** `adopted`: it stood whole already. `repaired`: it was gone or git had lost it; files that stood there were kept. */
  outcome: 'created' | 'adopted' | 'repaired';
  /** Sentences for the person, such as uncommitted files that stayed behind. */
  notes: string[];
}

/**
 * Gives a session its worktree. Safe to kill at any moment and to ask again: a claim comes first, the worktree is made
 * aside and moved into place whole, and files that stand in a session's place are never overwritten. Not to be called
 * twice at once for one session.
 *
 * Refuses with `git/no-commits`, `git/unknown-ref`, `git/invalid-name`, `git/branch-in-use` (says where),
 * `git/not-a-repository`, and what the disk says.
 */
export async function createWorktree(git: Git, options: CreateWorktreeOptions): Promise<GitResult<Worktree>> {
  assert(/^[a-z0-9_]{2,64}$/.test(options.session), `${JSON.stringify(options.session)} is not a session id`);
  return await explained(async () => {
    const repository = await readRepository(git, options.repo);
    if (!repository.ok) return repository;
    const { root, worktree, commonDir } = repository.value;
    const safe = await withoutPrograms(git, commonDir, options.trustedPrograms);
    const site: Site = {
      git: safe.git,
      cwd: worktree ?? commonDir,
      repository: repository.value,
      shelf: await openShelf(options.worktreesDir, projectSlug(root)),
    };
    const known = await findClaim(site.shelf, options.session, commonDir);
    if (known !== undefined) await finishMove(site, known);
    await sweepMaking(site, options.session);

    const made = known === undefined ? await makeNew(site, options) : await settle(site, known);
    if (!made.ok) return made;
    const { notes, outcome, baseCommit } = made.value;
    if (outcome === 'created') notes.push(...(await baseNotes(site, baseCommit)));
    if (outcome !== 'adopted' && safe.switchedOff.length > 0) notes.push(switchedOffNote(safe.switchedOff));
    return made;
  });
}

/** What every step needs: where the repository is, and a git that runs nothing it names. */
interface Site {
  git: Git;
  cwd: string;
  repository: Repository;
  shelf: Shelf;
}

async function makeNew(site: Site, options: CreateWorktreeOptions): Promise<GitResult<Worktree>> {
  const base = await resolveBase(site, options.base);
  if (!base.ok) return base;
  const wanted = toSlug(options.name);
  if (options.branch !== undefined) {
    const name = validateBranchName(options.branch);
    if (!name.ok) return name;
  }
  const blocked = await blockingBranch(site.git, site.cwd, options.branch ?? `concert/${wanted}`);
  if (blocked !== null)
    return refuse(
      'git/branch-in-use',
      `A branch named ${quoted(blocked)} exists, so git cannot have a branch ${quoted(options.branch ?? `concert/${wanted}`)}`,
      'Rename that branch, or name another one',
    );
  for (let suffix = 1; suffix <= suffixMax; suffix++) {
    const slug = suffix === 1 ? wanted : withSuffix(wanted, suffix);
    const claim: WorktreeClaim = {
      schema: 'concert/worktree-claim@1',
      session: options.session,
      slug,
      branch: options.branch ?? `concert/${slug}`,
      ownsBranch: options.branch === undefined,
      ...base.value,
      commonDir: site.repository.commonDir,
      isReady: false,
    };
    const made = await tryClaim(site, claim);
    if (made !== undefined) return made;
  }
  return refuse(
    'git/invalid-name',
    `${suffixMax} worktrees are named like ${quoted(wanted)} already`,
    'Choose another name',
  );
}

/** Undefined when the slug belongs to someone or something else. */
async function tryClaim(site: Site, claim: WorktreeClaim): Promise<GitResult<Worktree> | undefined> {
  const { git, cwd, shelf } = site;
  if (claim.ownsBranch && (await isNameTaken(git, cwd, claim.branch))) return undefined;
  if ((await inspectPlace(pathOf(site, claim), claim.commonDir)).type !== 'free') return undefined;
  if (!(await makeClaim(shelf, claim))) return undefined;
  let made: GitResult<Worktree> | undefined;
  try {
    made = await settle(site, claim);
    return made;
  } finally {
    if (!made?.ok) await withdraw(site, claim);
  }
}

/** After a failure: gives the slug back, unless something was made that a second try must find again. */
async function withdraw(site: Site, claim: WorktreeClaim): Promise<void> {
  try {
    await sweepMaking(site, claim.session);
    const isMade = claim.ownsBranch && (await branchTip(site.git, site.cwd, claim.branch)) !== null;
    if (!isMade) await dropClaim(site.shelf, claim.slug);
  } catch {
    // The first failure is the one to tell; the claim that stays is found by the next try.
  }
}

async function resolveBase(
  site: Site,
  base: string | undefined,
): Promise<GitResult<{ baseRef: string; baseCommit: string }>> {
  const { head, branch, root } = site.repository;
  if (base === undefined) {
    if (head !== null) return ok({ baseRef: branch ?? head, baseCommit: head });
    return refuse(
      'git/no-commits',
      `The repository ${quoted(root)} has no commit yet, so there is nothing to start from`,
    );
  }
  const commit = await readCommit(site.git, site.cwd, base);
  if (commit !== null) return ok({ baseRef: base, baseCommit: commit });
  return refuse(
    'git/unknown-ref',
    `The base ${quoted(base)} is no branch, tag or commit of ${quoted(root)}`,
    head === null ? 'Make a first commit' : 'git branch --all',
  );
}

/** Makes true what the claim says, from whatever stands in its place now. */
async function settle(site: Site, claim: WorktreeClaim): Promise<GitResult<Worktree>> {
  const path = pathOf(site, claim);
  const place = await inspectPlace(path, claim.commonDir);
  let filled: GitResult<string[]> = ok([]);
  switch (place.type) {
    case 'linked':
      break;
    case 'free':
      filled = await makeAside(site, claim, async (draft) => {
        await rename(draft, path);
        await repair(site, path);
      });
      break;
    case 'unlinked':
      filled = await relink(site, claim, path, place.adminDir);
      break;
    case 'foreign':
      return refuse(
        'git/failed',
        `${quoted(path)} is the place of this session's worktree, but ${place.why}; it was left as it is`,
        'Move it away, then try again',
      );
  }
  if (!filled.ok) return filled;
  if (!claim.isReady) await replaceClaim(site.shelf, { ...claim, isReady: true });
  const { slug, branch, ownsBranch, baseRef, baseCommit } = claim;
  return ok({
    path,
    slug,
    branch,
    ownsBranch,
    baseRef,
    baseCommit,
    project: site.repository.root,
    outcome: !claim.isReady ? 'created' : place.type === 'linked' ? 'adopted' : 'repaired',
    notes: filled.value,
  });
}

/** Tells git of a worktree that was moved into place just before the end of an earlier attempt. */
async function finishMove(site: Site, claim: WorktreeClaim): Promise<void> {
  const path = pathOf(site, claim);
  const place = await inspectPlace(path, claim.commonDir);
  if (place.type === 'linked' && !place.isListed) await repair(site, path);
}

async function repair({ git, cwd }: Site, path: string): Promise<void> {
  await git.run(['worktree', 'repair', '--', path], { cwd });
}

/** Makes the claim's worktree on its branch in a folder aside, then hands that folder to `publish`. */
async function makeAside(
  site: Site,
  claim: WorktreeClaim,
  publish: (draft: string) => Promise<void>,
  { withFiles } = { withFiles: true },
): Promise<GitResult<string[]>> {
  const { git, cwd, shelf } = site;
  const cleared = await clearBranch(site, claim);
  if (!cleared.ok) return cleared;
  const tip = await branchTip(git, cwd, claim.branch);
  const start = tip ?? (await readCommit(git, cwd, claim.baseCommit));
  if (start === null)
    return refuse(
      'git/unknown-ref',
      `The worktree ${quoted(claim.slug)} began at a commit that ${quoted(site.repository.root)} does not have any more; files in its folder are kept`,
    );
  const folder = await makingFolder(shelf, claim.session);
  const draft = join(folder, claim.slug);
  const flags = ['--detach', ...(withFiles ? [] : ['--no-checkout'])];
  await git.run(['worktree', 'add', ...flags, '--', draft, start], {
    cwd,
    timeoutMs: gitCheckoutTimeoutMs,
  });
  if (tip === null) {
    const isMine = await createRef(git, cwd, `refs/heads/${claim.branch}`, start, `concert: start from ${start}`);
    if (!isMine)
      return refuse('git/branch-in-use', `Somebody else made the branch ${quoted(claim.branch)} just now`, 'Try again');
  }
  await git.run(['symbolic-ref', '-m', 'concert: start', 'HEAD', `refs/heads/${claim.branch}`], { cwd: draft });
  await publish(draft);
  await rm(folder, { recursive: true, force: true });
  return cleared;
}

/**
 * Makes sure no other worktree has the branch. An entry of a folder that is gone is dropped when it was ours, after
 * giving a commit that only it led to a ref of its own.
 */
async function clearBranch(site: Site, claim: WorktreeClaim): Promise<GitResult<string[]>> {
  const notes: string[] = [];
  const path = pathOf(site, claim);
  for (const entry of await listWorktrees(site.git, site.cwd)) {
    if (entry.path === path) notes.push(...(await dropOwnEntry(site, claim, entry)));
    else if (entry.branch === claim.branch)
      return refuse(
        'git/branch-in-use',
        `The branch ${quoted(claim.branch)} is checked out in ${quoted(entry.path)}`,
        'Name another branch; if that folder is gone, git worktree prune',
      );
  }
  return ok(notes);
}

async function dropOwnEntry(site: Site, claim: WorktreeClaim, entry: WorktreeEntry): Promise<string[]> {
  const { git, cwd } = site;
  const notes: string[] = [];
  const isAlone = entry.branch === null && entry.head !== null && (await readCommit(git, cwd, entry.head)) !== null;
  if (isAlone && entry.head !== null && !(await isReachable(git, cwd, entry.head))) {
    const ref = `refs/concert/trash/${claim.slug}/${entry.head.slice(0, 16)}`;
    await createRef(git, cwd, ref, entry.head, 'concert: head of a worktree that is gone');
    notes.push(`The folder was gone; its last commit, which was on no branch, is kept as ${ref}`);
  }
  await dropWorktreeEntry(git, cwd, entry.path);
  return notes;
}

/** Files stand in place, but git forgot them (pruned while the disk was away, or `.git` deleted): they become changes on the branch again. */
async function relink(
  site: Site,
  claim: WorktreeClaim,
  path: string,
  adminDir: string | null,
): Promise<GitResult<string[]>> {
  const dotGit = join(path, '.git');
  if (adminDir !== null) {
    await replaceFile(dotGit, `gitdir: ${adminDir}\n`);
    return ok(['The .git of this worktree was gone and was put back']);
  }
  const made = await makeAside(
    site,
    claim,
    async (draft) => {
      await site.git.run(['read-tree', 'HEAD'], { cwd: draft });
      await replaceFile(dotGit, await readFile(join(draft, '.git'), 'utf8'));
      await rm(join(draft, '.git'));
      await rmdir(draft);
      await repair(site, path);
    },
    { withFiles: false },
  );
  if (!made.ok) return made;
  return ok([...made.value, 'Git had forgotten this worktree; its files are kept and show as changes']);
}

/** Removes what an earlier attempt of this session was making when it died. Nobody ever worked in there. */
async function sweepMaking(site: Site, session: string): Promise<void> {
  const folders = await leftFromMaking(site.shelf, session);
  const prefix = join(site.shelf.folder, '.making', `${session}-`);
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 2 });
  for (const { path } of await listWorktrees(site.git, site.cwd))
    if (path.startsWith(prefix)) await dropWorktreeEntry(site.git, site.cwd, path);
}

function pathOf(site: Site, claim: WorktreeClaim): string {
  return join(site.shelf.folder, claim.slug);
}

async function baseNotes(site: Site, baseCommit: string): Promise<string[]> {
  const { git, cwd, repository } = site;
  const notes: string[] = [];
  if (repository.worktree !== null && baseCommit === repository.head) {
    notes.push(...(await dirtyNotes({ git, root: repository.worktree })));
  }
  const modules = await git.run(['cat-file', '-e', `${baseCommit}:.gitmodules`], { cwd, exitCodes: [0, 1, 128] });
  if (modules.exitCode === 0)
    notes.push(
      `Submodules of ${quoted(basename(repository.root))} are not checked out in the new worktree; a setup command can do it`,
    );
  return notes;
}

/** The worktree stands by now, so a base that cannot be looked at in time is told and no failure. */
async function dirtyNotes({ git, root }: { git: Git; root: string }): Promise<string[]> {
  let files: string[];
  try {
    files = dirtyFiles(await readStatus({ git, root }));
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return [
      `Uncommitted files in ${quoted(root)} are not in the new worktree; how many there are could not be counted`,
    ];
  }
  const are = files.length === 1 ? 'is' : 'are';
  const count = counted(files.length, 'uncommitted file');
  return files.length === 0 ? [] : [`${count} in ${quoted(root)} ${are} not in the new worktree: ${listed(files)}`];
}

function switchedOffNote(programs: readonly GitProgram[]): string {
  // Filters first: they decide what the files look like.
  const keys = programs
    .map(({ key }) => key)
    .sort((a, b) => Number(b.startsWith('filter.')) - Number(a.startsWith('filter.')));
  return `Programs named by the repository's own git configuration were not run, because the project is not trusted: ${listed(keys)}`;
}
