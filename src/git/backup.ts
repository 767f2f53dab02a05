import { assert } from '../base/index.ts';
import type { Checkout } from './checkout.ts';
import { isFolderPath, splitPaths } from './path-list.ts';
import { createRef, deleteRef } from './refs.ts';
import type { RemovalEvidence } from './removal-evidence.ts';
import { type Git, gitCheckoutTimeoutMs } from './run-git.ts';
import { dirtyFiles } from './status.ts';
import { withTemporaryIndex } from './temporary-index.ts';

const trash = 'refs/concert/trash';

export interface Backup {
  /** `refs/concert/trash/<slug>/<at>`. */
  ref: string;
  slug: string;
  /** When the worktree was removed, ms since the epoch; null for a commit kept on another occasion. */
  at: number | null;
  commit: string;
}

/**
 * Keeps a worktree's whole state under a ref of its own and returns the ref. A clean worktree is its head. Otherwise a
 * commit of all files, untracked ones included, is made whose parents are the head, then what was staged if that
 * differs, then the branch if the head had left it. Ignored files are not in it. Touches neither index nor files.
 */
export async function keepBackup(checkout: Checkout, evidence: RemovalEvidence, at: number): Promise<string> {
  const { git, root } = checkout;
  const { head, branchTip } = evidence;
  const isBranchAside = branchTip !== null && branchTip !== head;
  if (dirtyFiles(evidence.dirty).length === 0 && !isBranchAside && head !== null)
    return await keepCommit(git, root, evidence.slug, at, head);

  const headTree = head === null ? null : await treeOf(git, root, head);
  const filesTree = await writeFilesTree(checkout);
  const stagedTree = await writeStagedTree(checkout, evidence);
  const parents = head === null ? [] : [head];
  if (stagedTree !== null && stagedTree !== headTree && stagedTree !== filesTree)
    parents.push(await commitTree(git, root, stagedTree, parents, at, `Staged in ${evidence.slug}`));
  if (isBranchAside) parents.push(branchTip);
  const commit = await commitTree(git, root, filesTree, parents, at, `Backup of ${evidence.slug} before its removal`);
  return await keepCommit(git, root, evidence.slug, at, commit);
}

/** Keeps one commit as the backup of `slug`; `<at>-2` and so on when there is another one of that time. */
export async function keepCommit(git: Git, cwd: string, slug: string, at: number, commit: string): Promise<string> {
  assert(Number.isSafeInteger(at) && at >= 0, `${at} is no time in ms`);
  for (let count = 1; ; count++) {
    const ref = `${trash}/${slug}/${at}${count === 1 ? '' : `-${count}`}`;
    if (await createRef(git, cwd, ref, commit, 'concert: keep what is removed')) return ref;
  }
}

/** All backups of a repository, oldest first. */
export async function listBackups(git: Git, cwd: string): Promise<Backup[]> {
  const { text } = await git.run(['for-each-ref', '--format=%(objectname) %(refname)', `${trash}/`], { cwd });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [commit = '', ref = ''] = line.split(' ');
      const [slug = '', name = ''] = ref.slice(trash.length + 1).split('/');
      return { ref, slug, at: /^\d{1,15}(?:-\d+)?$/.test(name) ? Number.parseInt(name, 10) : null, commit };
    })
    .sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
}

/** Forgets backups from before `before` (ms since the epoch) and returns how many; git deletes their objects in its own time. */
export async function expireBackups(git: Git, cwd: string, before: number): Promise<number> {
  let count = 0;
  for (const { ref, commit, at } of await listBackups(git, cwd))
    if (at !== null && at < before && (await deleteRef(git, cwd, ref, commit))) count++;
  return count;
}

/** Every file as it stands, except in repositories inside, which are never removed with work in them. */
async function writeFilesTree(checkout: Checkout): Promise<string> {
  const { git, root } = checkout;
  return await withTemporaryIndex(checkout, async (env) => {
    const run = { cwd: root, env, timeoutMs: gitCheckoutTimeoutMs };
    const known = await git.run(['ls-files', '--modified', '--deleted', '-z'], run);
    const unknown = await git.run(['ls-files', '--others', '--exclude-standard', '-z'], run);
    const files = splitPaths(unknown.bytes).filter((path) => !isFolderPath(path));
    const input = Buffer.concat([known.bytes, ...files.flatMap((path) => [path, Buffer.alloc(1)])]);
    await git.run(['update-index', '--add', '--remove', '--replace', '-z', '--stdin'], { ...run, input });
    return (await git.run(['write-tree'], run)).text.trim();
  });
}

/** Null while a merge is undecided: then the index is no tree, and the files hold both sides. */
async function writeStagedTree(checkout: Checkout, { dirty }: RemovalEvidence): Promise<string | null> {
  if (dirty.conflicted.length > 0) return null;
  return await withTemporaryIndex(checkout, async (env) => {
    return (await checkout.git.run(['write-tree'], { cwd: checkout.root, env })).text.trim();
  });
}

async function treeOf(git: Git, cwd: string, commit: string): Promise<string> {
  return (await git.run(['rev-parse', '--verify', `${commit}^{tree}`], { cwd })).text.trim();
}

async function commitTree(
  git: Git,
  cwd: string,
  tree: string,
  parents: readonly string[],
  at: number,
  message: string,
): Promise<string> {
  const date = `@${Math.floor(at / 1000)} +0000`;
  const name = 'Concertmaster';
  const email = 'concert@localhost';
  const env = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
  const args = ['commit-tree', ...parents.flatMap((parent) => ['-p', parent]), '-m', message, tree];
  return (await git.run(args, { cwd, env })).text.trim();
}
