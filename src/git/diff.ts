import { ok, refuse } from '../base/index.ts';
import { type Checkout, openCheckout } from './checkout.ts';
import { isFolderPath, splitPaths } from './path-list.ts';
import { quoted } from './printable.ts';
import { explained, type GitResult } from './refusals.ts';
import { readCommit } from './repository.ts';
import type { GitProgram } from './repository-programs.ts';
import type { Git } from './run-git.ts';
import { withTemporaryIndex } from './temporary-index.ts';

/** Untracked files shown in a diff. More mean that something unpacked there, which nobody reviews file by file. */
const untrackedFilesMax = 5000;
/** Patch bytes given out unless the caller asks for more or less; a reviewer's day. */
const patchBytesMax = 8 * 1024 * 1024;

/** For the whole patch, the reader's time included: a phone on a train. */
const patchTimeoutMs = 5 * 60_000;

export interface DiffOptions {
  worktree: string;
  /** Branch, tag or commit to compare with. The diff starts where the worktree's head left it. */
  base: string;
  trustedPrograms?: readonly GitProgram[];
}

export interface ChangedFile {
  path: string;
  /** Path before, of a file that was renamed. */
  renamedFrom: string | null;
  change: 'added' | 'modified' | 'deleted' | 'renamed' | 'type-changed';
  /** Lines; 0 for a binary file. */
  added: number;
  removed: number;
  isBinary: boolean;
}

export interface DiffStat {
  /** Commit the diff starts from. */
  from: string;
  files: ChangedFile[];
  added: number;
  removed: number;
  /** Untracked files beyond `untrackedFilesMax`, and repositories inside the worktree: not part of the diff. */
  leftOut: { untracked: number; nested: string[] };
}

/**
 * What the worktree's files, committed or not and untracked ones included, changed since `base`. Files of an undecided
 * merge count as they stand there, marks included. Touches neither the
 * index nor the object store, so it works on a read-only disk and beside an agent at work. Paths are untrusted text.
 */
export async function diffStat(git: Git, options: DiffOptions): Promise<GitResult<DiffStat>> {
  return await withDiff(git, options, async ({ git: safe, root }, from, env, leftOut) => {
    const args = ['diff', '--raw', '--numstat', '-z', ...diffFlags, from, '--'];
    const files = parseStat((await safe.run(args, { cwd: root, env })).text);
    const added = files.reduce((sum, file) => sum + file.added, 0);
    const removed = files.reduce((sum, file) => sum + file.removed, 0);
    return { from, files, added, removed, leftOut };
  });
}

/**
 * The same diff as patch text, handed to `write` piece by piece; git waits for each. At `bytesMax` it stops in the
 * middle of a line and says so. File contents are untrusted and may hold terminal escapes; names are quoted by git.
 */
export async function diffPatch(
  git: Git,
  options: DiffOptions & { bytesMax?: number },
  write: (chunk: Uint8Array) => Promise<void> | void,
): Promise<GitResult<{ bytes: number; isCut: boolean }>> {
  const bytesMax = options.bytesMax ?? patchBytesMax;
  return await withDiff(git, options, async ({ git: safe, root }, from, env) => {
    let bytes = 0;
    const onOutput = async (chunk: Uint8Array): Promise<boolean> => {
      const piece = chunk.subarray(0, bytesMax - bytes);
      bytes += piece.length;
      if (piece.length > 0) await write(piece);
      return piece.length === chunk.length;
    };
    const args = ['diff', '--patch', ...diffFlags, '--src-prefix=a/', '--dst-prefix=b/', from, '--'];
    const { isCut } = await safe.run(args, { cwd: root, env, onOutput, timeoutMs: patchTimeoutMs });
    return { bytes, isCut };
  });
}

/** No program of the repository for comparing or converting, no look into submodules, no taste of the person's own. */
const diffFlags = [
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--no-relative',
  '--find-renames',
  '--ignore-submodules=dirty',
  '--submodule=short',
  '--abbrev=40',
  '--inter-hunk-context=0',
  '--unified=3',
];

async function withDiff<T>(
  git: Git,
  { worktree, base, trustedPrograms }: DiffOptions,
  work: (checkout: Checkout, from: string, env: Record<string, string>, leftOut: DiffStat['leftOut']) => Promise<T>,
): Promise<GitResult<T>> {
  return await explained(async () => {
    const opened = await openCheckout(git, worktree, trustedPrograms);
    if (!opened.ok) return opened;
    const checkout = opened.value;
    const from = await startOf(checkout, base);
    if (from === null)
      return refuse(
        'git/unknown-ref',
        `The base ${quoted(base)} is no branch, tag or commit of ${quoted(checkout.root)}`,
      );
    return ok(
      await withTemporaryIndex(checkout, async (env) => {
        const leftOut = await addUntracked(checkout, env);
        return await work(checkout, from, env, leftOut);
      }),
    );
  });
}

/** Where the worktree's head and the base parted; the base itself when they share nothing. */
async function startOf({ git, root }: Checkout, base: string): Promise<string | null> {
  const commit = await readCommit(git, root, base);
  if (commit === null || (await readCommit(git, root, 'HEAD')) === null) return commit;
  const { text } = await git.run(['merge-base', commit, 'HEAD'], { cwd: root, exitCodes: [0, 1] });
  return text.trim() || commit;
}

/**
 * Puts untracked files into the temporary index as if they were known and empty. Git then compares what is in the
 * worktree, and nothing has to be written to the object store for it.
 */
async function addUntracked({ git, root }: Checkout, env: Record<string, string>): Promise<DiffStat['leftOut']> {
  const { bytes } = await git.run(['ls-files', '--others', '--exclude-standard', '-z'], { cwd: root, env });
  const paths = splitPaths(bytes);
  const nested = paths.filter(isFolderPath).map((path) => path.subarray(0, -1).toString('utf8'));
  const files = paths.filter((path) => !isFolderPath(path));
  const shown = files.slice(0, untrackedFilesMax);
  if (shown.length > 0) {
    const empty = (await git.run(['hash-object', '--stdin'], { cwd: root, input: '' })).text.trim();
    const start = Buffer.from(`100644 ${empty}\t`);
    const records = Buffer.concat(shown.flatMap((path) => [start, path, Buffer.alloc(1)]));
    await git.run(['update-index', '-z', '--index-info'], { cwd: root, env, input: records });
  }
  return { untracked: files.length - shown.length, nested };
}

/**
 * Reads `--raw --numstat -z`: first a record per file that begins with a colon, then its numbers, each followed by one
 * path, or by an empty one and two paths for a rename. Only NUL ends a path, whatever is in it.
 */
export function parseStat(text: string): ChangedFile[] {
  const fields = text.split('\0');
  const files = new Map<string, ChangedFile>();
  let at = 0;
  for (; fields[at]?.startsWith(':'); at++) {
    const status = fields[at]?.split(' ')[4] ?? '';
    const isRename = status.startsWith('R');
    const renamedFrom = isRename ? (fields[++at] ?? '') : null;
    const path = fields[++at] ?? '';
    const change = changes[status[0] ?? ''] ?? 'modified';
    files.set(path, { path, renamedFrom, change, added: 0, removed: 0, isBinary: false });
  }
  for (; at < fields.length; at++) {
    const numbers = /^(-|\d+)\t(-|\d+)\t(.*)$/s.exec(fields[at] ?? '');
    if (numbers === null) continue;
    const [, added, removed, name] = numbers;
    // After an empty name come the old path and the new one.
    if (name === '') at += 2;
    const file = files.get(name || (fields[at] ?? ''));
    if (file === undefined) continue;
    file.isBinary = added === '-';
    file.added = Number(added) || 0;
    file.removed = Number(removed) || 0;
  }
  return [...files.values()];
}

const changes: Readonly<Record<string, ChangedFile['change']>> = {
  A: 'added',
  D: 'deleted',
  M: 'modified',
  R: 'renamed',
  T: 'type-changed',
};
