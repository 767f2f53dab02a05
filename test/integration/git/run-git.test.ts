import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../../src/base/index.ts';
import { createGit, GitError } from '../../../src/git/index.ts';
import { createWorkbench, isRunning, realClock, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(() => {
  bench = createWorkbench('run');
});
afterEach(() => bench[Symbol.dispose]());

/** A program in git's place. */
function fakeGit(text: string, clock: Clock = realClock) {
  const binary = bench.write(join(bench.root, 'fake-git'), `#!/bin/sh\n${text}\n`);
  chmodSync(binary, 0o755);
  return createGit({ binary, env: { ...bench.env, GIT_DIR: '/elsewhere', GIT_CONFIG_COUNT: '1', SECRET: 'x' }, clock });
}

async function errorOf(promise: Promise<unknown>): Promise<GitError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GitError);
  return error as GitError;
}

test('a failing call tells its code, its words and what was called', async () => {
  const error = await errorOf(
    bench.git.run(['rev-parse', '--verify', 'no\u001b[2Jwhere'], { cwd: bench.repository() }),
  );
  expect(error.message).toBe('git rev-parse failed (exit 128): Needed a single revision');
  expect([error.code, error.exitCode, error.signal, error.retryable]).toEqual(['git/failed', 128, null, false]);
  expect(error.argv.slice(-3)).toEqual(['rev-parse', '--verify', 'no\u001b[2Jwhere']);
});

test('exit codes that are answers are given back', async () => {
  const { exitCode, text } = await bench.git.run(['config', '--get', 'no.such'], {
    cwd: bench.repository(),
    exitCodes: [0, 1],
  });
  expect([exitCode, text]).toEqual([1, '']);
});

test('a missing git, a git that cannot be run and a missing folder are told apart', async () => {
  const none = createGit({ binary: join(bench.root, 'none'), env: bench.env, clock: realClock });
  expect((await errorOf(none.run(['version'], { cwd: bench.root }))).code).toBe('git/missing');
  bench.write(join(bench.root, 'plain'), '');
  const plain = createGit({ binary: join(bench.root, 'plain'), env: bench.env, clock: realClock });
  expect((await errorOf(plain.run(['version'], { cwd: bench.root }))).code).toBe('git/missing');
  const gone = await errorOf(bench.git.run(['version'], { cwd: join(bench.root, 'gone') }));
  expect([gone.code, gone.message]).toEqual(['git/failed', `The folder "${bench.root}/gone" cannot be entered`]);
});

test('only a scrubbed environment reaches git', async () => {
  const { text } = await fakeGit('env').run(['x'], { cwd: bench.root });
  const names = text.split('\n').map((line) => line.split('=')[0] ?? '');
  expect(names).not.toContain('SECRET');
  expect(names).not.toContain('GIT_DIR');
  expect(names).not.toContain('GIT_CONFIG_COUNT');
  expect(text).toContain('GIT_TERMINAL_PROMPT=0\n');
});

test('a call above its time is ended with all it started', async () => {
  const git = fakeGit(`sleep 1000 & echo $! > '${bench.root}/child'; wait`);
  const error = await errorOf(git.run(['status'], { cwd: bench.root, timeoutMs: 200 }));
  expect([error.code, error.retryable, error.message]).toEqual([
    'git/timeout',
    true,
    'git status took longer than 0.2 s and was ended',
  ]);
  const child = Number(readFileSync(join(bench.root, 'child'), 'utf8'));
  await expect.poll(() => isRunning(child)).toBe(false);
});

test('one that ignores being told is killed', async () => {
  const quick: Clock = { ...realClock, after: (ms, fn) => realClock.after(Math.min(ms, 100), fn) };
  const error = await errorOf(
    fakeGit("trap '' TERM; while true; do sleep 0.01; done", quick).run(['status'], { cwd: bench.root }),
  );
  expect([error.code, error.signal]).toEqual(['git/timeout', 'SIGKILL']);
});

test('one that says too much is ended', async () => {
  const error = await errorOf(fakeGit('exec yes').run(['log'], { cwd: bench.root, outputBytesMax: 100_000 }));
  expect([error.code, error.message]).toEqual(['git/failed', 'git log answered with more than 100000 bytes']);
  const flood = await errorOf(
    fakeGit('head -c 1000000 /dev/zero | tr "\\0" e >&2; echo "fatal: last" >&2; exit 1').run(['x'], {
      cwd: bench.root,
    }),
  );
  expect(flood.stderr.length).toBeLessThanOrEqual(64 * 1024);
  expect(flood.stderr.endsWith('fatal: last\n')).toBe(true);
});

test('one whose reader never comes back ends at its time', async () => {
  const stuck = { cwd: bench.root, timeoutMs: 200, onOutput: () => new Promise<boolean>(() => {}) };
  expect((await errorOf(fakeGit('exec yes').run(['log'], stuck))).code).toBe('git/timeout');
});

test('input that is not read is no failure by itself', async () => {
  const { text } = await fakeGit('echo fine').run(['x'], { cwd: bench.root, input: 'x'.repeat(1_000_000) });
  expect(text).toBe('fine\n');
});

test('a lock file of another git is waited for, and given up on after its bound', async () => {
  const repo = bench.repository();
  const lock = bench.write(join(repo, '.git/config.lock'), '');
  const waits: number[] = [];
  const clock: Clock = {
    ...realClock,
    after(ms, fn) {
      if (ms > 1000) return realClock.after(ms, fn);
      waits.push(ms);
      if (waits.length === 3) rmSync(lock);
      return realClock.after(0, fn);
    },
  };
  const git = createGit({ env: bench.env, clock });
  await git.run(['config', 'a.b', 'c'], { cwd: repo });
  expect(waits).toEqual([19, 38, 75]);

  bench.write(lock, '');
  waits.length = 3;
  const error = await errorOf(git.run(['config', 'a.b', 'd'], { cwd: repo }));
  expect([error.retryable, waits.length]).toEqual([true, 9]);
});

test('nothing else is tried twice', async () => {
  const git = fakeGit(
    `echo x >> '${bench.root}/calls'; echo "fatal: cannot lock ref 'x': is at 1 but expected 2" >&2; exit 1`,
  );
  await errorOf(git.run(['update-ref'], { cwd: bench.root }));
  expect(readFileSync(join(bench.root, 'calls'), 'utf8')).toBe('x\n');
});

test('at most eight run at once, the others in turn', async () => {
  const dir = join(bench.root, 'running');
  const git = fakeGit(`mkdir -p '${dir}'; touch '${dir}'/$$; ls '${dir}' | wc -l; sleep 0.05; rm '${dir}'/$$`);
  const counts = await Promise.all(
    Array.from({ length: 24 }, async () => Number((await git.run(['x'], { cwd: bench.root })).text)),
  );
  expect(Math.max(...counts)).toBeLessThanOrEqual(8);
  expect(Math.max(...counts)).toBeGreaterThan(1);
});
