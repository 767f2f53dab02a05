import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createWorktree,
  inspectRemoval,
  listBackups,
  projectSlug,
  removeWorktree,
  type Worktree,
} from '../../../src/git/index.ts';
import { createWorkbench, granted, type Workbench } from './workbench.ts';

/** A call is killed at its first step, at the one `stride` later and so on; `STRIDE=1` for every one of them. */
const stride = Number(process.env.STRIDE ?? 9);

/** How long the git that was left alone at that step waits before it does its work. */
const orphanSec = Number(process.env.ORPHAN_SEC ?? 0.1);

let bench: Workbench;
let repo: string;
let lethalGit: string;

beforeEach(() => {
  bench = createWorkbench('killed');
  repo = bench.repository();
  for (let index = 0; index < 20; index++) bench.write(join(repo, `files/${index}.txt`), `${index}\n`);
  bench.sh(repo, 'add', '.');
  bench.sh(repo, 'commit', '-q', '-m', 'Files');
  // At the step that was asked for it kills its caller, and goes on with its own work, as a git does that nobody ended.
  lethalGit = bench.write(
    join(bench.root, 'lethal-git'),
    `#!/bin/sh\nleft=$(cat '${bench.root}/steps')\necho $((left - 1)) > '${bench.root}/steps'\n[ "$left" = 1 ] && kill -9 $PPID && sleep ${orphanSec}\nexec git "$@"\n`,
  );
  chmodSync(lethalGit, 0o755);
});
afterEach(() => bench[Symbol.dispose]());

/** Makes a call in another process that dies by SIGKILL at its nth step; false when the call has fewer. */
async function diesAtStep(step: number, call: 'create' | 'remove', options: object): Promise<boolean> {
  bench.write(join(bench.root, 'steps'), `${step}\n`);
  const request = JSON.stringify({ call, binary: lethalGit, env: bench.env, options });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'call-once.ts'), request], {
    stdio: 'ignore',
    // What it leaves behind when it dies goes with the bench.
    env: { ...process.env, TMPDIR: bench.root },
  });
  const [code, signal] = await once(child, 'exit');
  expect([code, signal]).toEqual(signal === null ? [0, null] : [null, 'SIGKILL']);
  return signal !== null;
}

const options = (name: string) => ({ repo, worktreesDir: bench.worktreesDir, session: `s_${name}`, name });
const listed = () => bench.sh(repo, 'worktree', 'list', '--porcelain').match(/^worktree .*/gm) ?? [];

test('a creation killed at any step is finished by the next one, whole and once', { timeout: 600_000 }, async () => {
  const made: Worktree[] = [];
  for (let step = 1; await diesAtStep(step, 'create', options(`k${step}x`)); step += stride) {
    const worktree = granted(await createWorktree(bench.git, options(`k${step}x`)));
    expect([worktree.slug, worktree.branch]).toEqual([`k${step}x`, `concert/k${step}x`]);
    expect(bench.sh(worktree.path, 'status', '--porcelain', '--branch')).toBe(`## concert/k${step}x\n`);
    expect(readdirSync(join(worktree.path, 'files'))).toHaveLength(20);
    made.push(worktree);
  }
  expect(made.length).toBeGreaterThan(15 / stride);

  // What a git that went on alone may have left is gone once its session is asked for again.
  for (const { slug } of made) expect(granted(await createWorktree(bench.git, options(slug))).outcome).toBe('adopted');
  expect(readdirSync(join(bench.worktreesDir, projectSlug(repo), '.making'))).toEqual([]);
  expect(listed()).toHaveLength(made.length + 2);
  expect(bench.sh(repo, 'fsck')).toBe('');
});

test('a forced removal killed at any step leaves the work in its place or in a backup', {
  timeout: 600_000,
}, async () => {
  let step = 1;
  for (; ; step += stride) {
    const name = `k${step}x`;
    const { path } = granted(await createWorktree(bench.git, options(name)));
    bench.write(join(path, 'committed.txt'), name);
    bench.sh(path, 'add', '.');
    bench.sh(path, 'commit', '-q', '-m', 'Work');
    bench.write(join(path, 'untracked.txt'), name);
    const removal = { repo, worktreesDir: bench.worktreesDir, path, at: 1000, force: true };
    const isKilled = await diesAtStep(step, 'remove', removal);

    const backups = async () => (await listBackups(bench.git, repo)).filter(({ slug }) => slug === name);
    const evidence = granted(await inspectRemoval(bench.git, removal));
    if (evidence.isPresent) expect(evidence.dirty.untracked).toEqual(['untracked.txt']);
    else expect(await backups()).toHaveLength(1);
    granted(await removeWorktree(bench.git, removal));
    expect(existsSync(path)).toBe(false);
    const kept = (await backups()).map(({ ref }) => bench.sh(repo, 'ls-tree', '--name-only', ref).split('\n'));
    expect(kept.some((names) => names.includes('untracked.txt') && names.includes('committed.txt'))).toBe(true);
    if (!isKilled) break;
  }
  expect(step).toBeGreaterThan(30);
  expect(listed()).toEqual([`worktree ${repo}`]);
  expect(bench.sh(repo, 'for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main\n');
  expect(bench.sh(repo, 'fsck', '--no-dangling')).toBe('');
});
