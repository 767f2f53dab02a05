import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { demoCommits } from './demo-commits.ts';
import { demoAuthor, demoMarker } from './demo-repository.ts';

/** Runs git in a folder and gives its standard output; rejects when it fails. `env` is added to its environment. */
export type RunGit = (
  folder: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<string>;

export interface DemoProjectOptions {
  /** Where the repository is to be. Its parent must exist. */
  folder: string;
  runGit?: RunGit;
}

/** The throwaway repository could not be made. */
export class DemoProjectError extends Error {
  override readonly name = 'DemoProjectError';
  readonly code: 'folder-taken' | 'git-missing' | 'git-failed';

  constructor(code: DemoProjectError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Makes the throwaway repository the demo works in: a small JavaScript project with tests that pass and two that fail.
 * Its commits are the same everywhere, to the hash. A folder that holds it already is left as it is; any other folder
 * that is not empty is refused. It appears whole or not at all, whenever this process dies.
 */
export async function createDemoProject({ folder, runGit = spawnGit }: DemoProjectOptions): Promise<void> {
  if (existsSync(join(folder, demoMarker)) && existsSync(join(folder, '.git'))) return;
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new DemoProjectError('folder-taken', `Cannot make the demo repository: "${folder}" holds other files`);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  const git = (argv: readonly string[], env = {}) =>
    runGit(partial, [...ownSettings, ...argv], { ...quietGit, ...env });
  await git(['init', '--quiet']);
  for (const [index, { message, files }] of demoCommits.entries()) {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(partial, path)), { recursive: true });
      await writeFile(join(partial, path), content);
    }
    await git(['add', '--all', '--', '.']);
    await git(['commit', '--quiet', '--no-verify', '-m', message], datedAt(index));
  }
  await rename(partial, folder);
}

const ownSettings = [
  ...['-c', 'init.defaultBranch=main', '-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'],
  ...['-c', 'commit.gpgSign=false', '-c', 'core.autocrlf=false', '-c', 'gc.auto=0'],
];

const quietGit = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
  GIT_AUTHOR_NAME: demoAuthor.name,
  GIT_AUTHOR_EMAIL: demoAuthor.email,
  GIT_COMMITTER_NAME: demoAuthor.name,
  GIT_COMMITTER_EMAIL: demoAuthor.email,
};

/** Fixed dates make fixed hashes. */
function datedAt(index: number): Record<string, string> {
  const date = `2026-01-0${index + 1}T09:00:00Z`;
  return { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
}

/** Error output kept, in characters. */
const errorsMax = 4096;

const spawnGit: RunGit = (folder, argv, env) =>
  new Promise((resolve, reject) => {
    const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, ...inherited } = process.env;
    const child = spawn('git', argv, {
      cwd: folder,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString('utf8')).slice(0, errorsMax);
    });
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const isMissing = cause.code === 'ENOENT';
      const message = isMissing ? 'git is not installed' : cause.message;
      const code = isMissing ? 'git-missing' : 'git-failed';
      reject(new DemoProjectError(code, `Cannot make the demo repository: ${message}`, { cause }));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new DemoProjectError('git-failed', `Cannot make the demo repository: git said "${errors.trim()}"`));
    });
  });
