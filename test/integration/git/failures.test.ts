import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createWorktree,
  diffStat,
  inspectRemoval,
  projectSlug,
  readRepository,
  readWorktreeStatus,
  removeWorktree,
} from '../../../src/git/index.ts';
import { createWorkbench, granted, type Workbench } from './workbench.ts';

const isRoot = process.getuid?.() === 0;
const canMount = isRoot && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
const needsMount = canMount ? '' : ' (skipped: only root may mount a small disk)';
const needsRoot = isRoot ? '' : ' (skipped: only root may run as somebody else)';
const nobody = 65534;

let bench: Workbench;
beforeEach(() => {
  bench = createWorkbench('failures');
});
afterEach(() => bench[Symbol.dispose]());

/** A disk of its own, unmounted at the end. */
function disk(name: string, size: string): Disposable & { path: string; remount(options: string): void } {
  const path = join(bench.root, name);
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'none', path]);
  return {
    path,
    remount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, path]),
    [Symbol.dispose]: () => void execFileSync('umount', ['--lazy', path]),
  };
}

const create = async (repo: string, worktreesDir = bench.worktreesDir, session = 's_aaaa') =>
  await createWorktree(bench.git, { repo, worktreesDir, session, name: session.slice(2) });

/** Fills a disk until `bytes` are left. */
function fill(path: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(join(path, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
}

describe.skipIf(!canMount)(`a read-only disk${needsMount}`, () => {
  test('under the repository: looking works, making and removing is refused and changes nothing', async () => {
    using small = disk('disk', '16m');
    const repo = bench.repository('disk/repo');
    const made = granted(await create(repo));
    bench.write(join(made.path, 'new.txt'), 'new\n');
    small.remount('ro');
    granted(await readRepository(bench.git, repo));
    expect(granted(await readWorktreeStatus(bench.git, made.path)).untracked).toEqual(['new.txt']);
    expect(granted(await diffStat(bench.git, { worktree: made.path, base: 'main' })).added).toBe(1);
    expect(await create(repo, bench.worktreesDir, 's_bbbb')).toMatchObject({ ok: false, code: 'disk/read-only' });
    const removal = { repo, worktreesDir: bench.worktreesDir, path: made.path, at: 1, force: true };
    expect(await removeWorktree(bench.git, removal)).toMatchObject({ ok: false, code: 'disk/read-only' });
    expect(readFileSync(join(made.path, 'new.txt'), 'utf8')).toBe('new\n');
    small.remount('rw');
    expect(granted(await create(repo, bench.worktreesDir, 's_bbbb')).slug).toBe('bbbb');
    expect(granted(await removeWorktree(bench.git, removal)).backupRef).not.toBe(null);
  });

  test('under the worktrees', async () => {
    using small = disk('disk', '16m');
    const repo = bench.repository();
    const worktreesDir = join(small.path, 'worktrees');
    const made = granted(await create(repo, worktreesDir));
    bench.write(join(made.path, 'new.txt'), 'new\n');
    small.remount('ro');
    expect(await create(repo, worktreesDir, 's_bbbb')).toMatchObject({ ok: false, code: 'disk/read-only' });
    expect(granted(await diffStat(bench.git, { worktree: made.path, base: 'main' })).added).toBe(1);
    const removal = { repo, worktreesDir, path: made.path, at: 1, force: true };
    expect(await removeWorktree(bench.git, removal)).toMatchObject({ ok: false, code: 'disk/read-only' });
    small.remount('rw');
    granted(await removeWorktree(bench.git, removal));
    expect(bench.sh(repo, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  });
});

describe.skipIf(!canMount)(`a full disk${needsMount}`, () => {
  test('under the worktrees: refused at every point, and made once there is room', async () => {
    using small = disk('disk', '4m');
    const repo = bench.repository();
    for (let index = 0; index < 30; index++) bench.write(join(repo, `files/${index}`), 'x'.repeat(8000));
    bench.sh(repo, 'add', '.');
    bench.sh(repo, 'commit', '-q', '-m', 'Files');
    for (const kib of [0, 4, 16, 64, 256]) {
      const worktreesDir = join(small.path, `worktrees-${kib}`);
      fill(small.path, kib * 1024);
      const session = `s_full${kib}`;
      expect([kib, await create(repo, worktreesDir, session)]).toMatchObject([kib, { ok: false, code: 'disk/full' }]);
      rmSync(join(small.path, 'filler'));
      const made = granted(await create(repo, worktreesDir, session));
      expect([made.slug, made.outcome]).toEqual([`full${kib}`, 'created']);
      expect(bench.sh(made.path, 'status', '--porcelain')).toBe('');
      expect(readdirSync(join(worktreesDir, projectSlug(repo), '.making'))).toEqual([]);
      granted(await removeWorktree(bench.git, { repo, worktreesDir, path: made.path, at: 1 }));
    }
    expect(bench.sh(repo, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  });

  test('under the repository: no backup, so nothing is removed', async () => {
    using small = disk('disk', '2m');
    const repo = bench.repository('disk/repo');
    const made = granted(await create(repo));
    bench.write(
      join(made.path, 'new.bin'),
      new Uint8Array(64_000).map((_, index) => (index * 7919) >> 3),
    );
    fill(small.path, 0);
    const removal = { repo, worktreesDir: bench.worktreesDir, path: made.path, at: 1, force: true };
    expect(await removeWorktree(bench.git, removal)).toMatchObject({ ok: false, code: 'disk/full' });
    expect(granted(await inspectRemoval(bench.git, removal)).dirty.untracked).toEqual(['new.bin']);
    rmSync(join(small.path, 'filler'));
    const { backupRef } = granted(await removeWorktree(bench.git, removal));
    expect(bench.sh(repo, 'cat-file', '-s', `${backupRef}:new.bin`)).toBe('64000\n');
  });
});

describe.skipIf(!isRoot)(`somebody else${needsRoot}`, () => {
  /** Calls as a user who is not root, in a process of its own. */
  /** The folders that tests get are private; somebody else must at least pass through them. */
  beforeEach(() => {
    for (let folder = tmpdir(); /\/ct[^/]*(\/|$)/.test(folder); folder = dirname(folder)) chmodSync(folder, 0o711);
  });

  function callAsNobody(call: 'create' | 'remove' | 'diff', options: object): unknown {
    const request = JSON.stringify({ call, env: bench.env, options });
    const { stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'call-once.ts'), request], {
      uid: nobody,
      gid: nobody,
      encoding: 'utf8',
    });
    const [, result = ''] = stdout.split('calling\n');
    if (result === '') throw new Error(stderr);
    return JSON.parse(result);
  }

  function give(...paths: string[]): void {
    chmodSync(bench.root, 0o755);
    for (const path of [bench.env.HOME ?? '', ...paths]) execFileSync('chown', ['-R', `${nobody}:${nobody}`, path]);
  }

  test('is refused in a repository of mine, with what to do', () => {
    const repo = bench.repository();
    give();
    expect(
      callAsNobody('create', { repo, worktreesDir: join(bench.root, 'home/wt'), session: 's_aaaa', name: 'x' }),
    ).toEqual({
      ok: false,
      code: 'git/failed',
      message: `Git refuses to work in "${repo}", because another user owns it`,
      hint: 'git config --global --add safe.directory <folder>, if you trust that user',
    });
  });

  test('is refused where the worktrees may not be written, and where the repository may not', () => {
    const repo = bench.repository();
    give(repo);
    mkdirSync(join(bench.root, 'state'));
    const options = { repo, worktreesDir: bench.worktreesDir, session: 's_aaaa', name: 'x' };
    expect(callAsNobody('create', options)).toMatchObject({ ok: false, code: 'git/failed' });
    chownSync(join(bench.root, 'state'), nobody, nobody);
    execFileSync('chown', ['-R', '0:0', join(repo, '.git/refs'), join(repo, '.git/logs')]);
    expect(callAsNobody('create', options)).toEqual({
      thrown: 'git/failed',
      message: expect.stringContaining("cannot lock ref 'refs/heads/concert/x'"),
    });
    give(repo);
    expect(callAsNobody('create', options)).toMatchObject({ ok: true, value: { slug: 'x', outcome: 'created' } });
  });

  test('cannot remove what could not be backed up', () => {
    const repo = bench.repository();
    mkdirSync(join(bench.root, 'state'));
    give(repo, join(bench.root, 'state'));
    const options = { repo, worktreesDir: bench.worktreesDir, session: 's_aaaa', name: 'x' };
    const made = callAsNobody('create', options) as { value: { path: string } };
    const secret = bench.write(join(made.value.path, 'secret'), 'mine');
    chmodSync(secret, 0);
    const removal = { repo, worktreesDir: bench.worktreesDir, path: made.value.path, at: 1, force: true };
    expect(callAsNobody('remove', removal)).toMatchObject({ ok: false, code: 'git/failed' });
    expect(readFileSync(secret, 'utf8')).toBe('mine');
    expect(existsSync(join(made.value.path, '.git'))).toBe(true);
  });
});
