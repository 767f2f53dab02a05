import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../src/base/index.ts';
import { createGit, type Git } from '../../../src/git/index.ts';

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** A private folder with a home of its own, the git under test, and a plain git for arranging and checking. */
export interface Workbench extends Disposable {
  root: string;
  worktreesDir: string;
  env: Record<string, string>;
  git: Git;
  /** Runs git as a person would, with everything on, and returns what it printed. */
  sh(cwd: string, ...args: string[]): string;
  write(path: string, text: string | Uint8Array): string;
  /** A repository with one commit on `main` holding `readme.md` and `src/app.ts`. */
  repository(name?: string): string;
  /** Path of a file no one may make, and a command that makes it. */
  canary(name: string): { path: string; command: string };
  canaries(): string[];
}

export function createWorkbench(folderName = 'bench'): Workbench {
  const root = realpathSync(mkdtempSync(join(tmpdir(), `concert-${folderName}-`)));
  const home = join(root, 'home');
  const canaryDir = join(root, 'canaries');
  for (const path of [home, canaryDir]) mkdirSync(path);
  const env = { PATH: process.env.PATH ?? '', HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
  const identity = {
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@a',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@a',
  };

  const bench: Workbench = {
    root,
    worktreesDir: join(root, 'state', 'worktrees'),
    env,
    git: createGit({ env, clock: realClock }),
    sh: (cwd, ...args) =>
      execFileSync('git', ['-c', 'init.defaultBranch=main', '-c', 'advice.detachedHead=false', ...args], {
        cwd,
        env: { ...env, ...identity, LC_ALL: 'C' },
        stdio: ['ignore', 'pipe', 'pipe'],
        encoding: 'utf8',
      }),
    write(path, text) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    },
    repository(name = 'repo') {
      const path = join(root, name);
      mkdirSync(path, { recursive: true });
      bench.sh(path, 'init', '--quiet');
      bench.write(join(path, 'readme.md'), '# Readme\n');
      bench.write(join(path, 'src/app.ts'), 'export const app = 1;\n');
      bench.sh(path, 'add', '.');
      bench.sh(path, 'commit', '--quiet', '-m', 'First');
      return path;
    },
    canary(name) {
      const path = join(canaryDir, name);
      return { path, command: `touch '${path}'` };
    },
    canaries: () => readdirSync(canaryDir).sort(),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
  return bench;
}

/** The value of a result that must not be a refusal. */
export function granted<T>(result: { ok: true; value: T } | { ok: false; code: string; message: string }): T {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.value;
}

/** The same git; `look` sees every call before it is made, and may arrange things or throw. */
export function spying(git: Git, look: (args: readonly string[], cwd: string) => void): Git {
  return {
    run: async (args, options) => {
      look(args, options.cwd);
      return await git.run(args, options);
    },
    withConfig: (overrides, rights) => spying(git.withConfig(overrides, rights), look),
  };
}

/** A dead process may wait for whoever is to collect it, as a zombie. */
export function isRunning(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}
