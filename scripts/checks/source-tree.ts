import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The text of every file of the repository that git tracks or would add, by path from the root. Links and binary files are left out. */
export type SourceTree = ReadonlyMap<string, string>;

/** One broken rule. `line` counts from 1; 0 speaks of the whole file. */
export interface Finding {
  path: string;
  line: number;
  message: string;
}

/** Looks at a tree and says what is wrong with it; an empty list is a pass. */
export type Check = (tree: SourceTree) => Finding[];

export function readSourceTree(root: string): SourceTree {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const tree = new Map<string, string>();
  for (const path of listed.split('\0').filter(Boolean).sort()) {
    const file = join(root, path);
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    if (!text.includes('\0')) tree.set(path, text);
  }
  return tree;
}

/** Line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Folder of a file under `src/`: `fleet` for `src/fleet/decide.ts`, undefined for `src/main.ts` and what is not under `src/`. */
export function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

export function isTypeScript(path: string): boolean {
  return /\.tsx?$/.test(path);
}
