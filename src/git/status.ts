import { ok } from '../base/index.ts';
import { type Checkout, openCheckout } from './checkout.ts';
import { explained, type GitResult } from './refusals.ts';
import type { GitProgram } from './repository-programs.ts';
import type { Git } from './run-git.ts';

/** Files of a worktree that no commit has, by path relative to its root. */
export interface Status {
  /** Tracked files with changes, staged or not. */
  changed: string[];
  /** Files git does not know. With `untracked: 'folders'`, a folder of only such files is one entry ending in `/`. */
  untracked: string[];
  /** Files a merge left undecided. */
  conflicted: string[];
  /** Files and folders left out by ignore rules; only when asked for. */
  ignored: string[];
}

export interface StatusOptions {
  untracked?: 'folders' | 'files';
  withIgnored?: boolean;
}

/** What no commit of the worktree at exactly `path` has. Refuses with `git/not-a-repository` when it is none any more. */
export async function readWorktreeStatus(
  git: Git,
  path: string,
  { trustedPrograms, ...options }: StatusOptions & { trustedPrograms?: readonly GitProgram[] } = {},
): Promise<GitResult<Status>> {
  return await explained(async () => {
    const opened = await openCheckout(git, path, trustedPrograms);
    return opened.ok ? ok(await readStatus(opened.value, options)) : opened;
  });
}

/** Never looks into submodules, whose configuration is another repository's: a submodule shows when its commit changed. */
export async function readStatus(
  { git, root }: Pick<Checkout, 'git' | 'root'>,
  { untracked = 'folders', withIgnored = false }: StatusOptions = {},
): Promise<Status> {
  const args = [
    'status',
    '--porcelain=v2',
    '-z',
    '--no-renames',
    '--ignore-submodules=dirty',
    `--untracked-files=${untracked === 'files' ? 'all' : 'normal'}`,
    `--ignored=${withIgnored ? 'matching' : 'no'}`,
  ];
  return parseStatus((await git.run(args, { cwd: root })).text);
}

/** All that is in no commit, conflicts first. */
export function dirtyFiles({ conflicted, changed, untracked }: Status): string[] {
  return [...conflicted, ...changed, ...untracked];
}

/** Reads porcelain version 2 with `-z`: one record per path, ended by NUL, where only the path may hold spaces. */
export function parseStatus(text: string): Status {
  const status: Status = { changed: [], untracked: [], conflicted: [], ignored: [] };
  const records = text.split('\0');
  for (let at = 0; at < records.length; at++) {
    const record = records[at] ?? '';
    switch (record[0]) {
      case '1':
        status.changed.push(afterFields(record, 8));
        break;
      case '2':
        status.changed.push(afterFields(record, 9));
        // The path it was renamed from is a record of its own.
        at++;
        break;
      case 'u':
        status.conflicted.push(afterFields(record, 10));
        break;
      case '?':
        status.untracked.push(record.slice(2));
        break;
      case '!':
        status.ignored.push(record.slice(2));
        break;
    }
  }
  return status;
}

function afterFields(record: string, count: number): string {
  let at = 0;
  for (let field = 0; field < count; field++) at = record.indexOf(' ', at) + 1;
  return record.slice(at);
}
