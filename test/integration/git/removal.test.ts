import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createWorktree,
  expireBackups,
  inspectRemoval,
  isSafe,
  listBackups,
  removeWorktree,
  spokenEvidence,
  sweepWorktrees,
  type Worktree,
} from '../../../src/git/index.ts';
import { createWorkbench, granted, spying, type Workbench } from './workbench.ts';

const at = 1_800_000_000_000;
let bench: Workbench;
let repo: string;
let worktree: Worktree;

beforeEach(async () => {
  bench = createWorkbench('removal');
  repo = bench.repository();
  bench.write(join(repo, '.gitignore'), 'ignored/\n*.log\n');
  bench.sh(repo, 'add', '.');
  bench.sh(repo, 'commit', '-q', '-m', 'Ignore');
  worktree = granted(
    await createWorktree(bench.git, { repo, worktreesDir: bench.worktreesDir, session: 's_aaaa', name: 'fix' }),
  );
});
afterEach(() => bench[Symbol.dispose]());

const inspect = async () =>
  granted(await inspectRemoval(bench.git, { repo, worktreesDir: bench.worktreesDir, path: worktree.path }));

async function remove(force = false, path = worktree.path) {
  return await removeWorktree(bench.git, { repo, worktreesDir: bench.worktreesDir, path, at, force });
}

function commit(message: string, file = 'work.txt'): string {
  bench.write(join(worktree.path, file), message);
  bench.sh(worktree.path, 'add', '.');
  bench.sh(worktree.path, 'commit', '-q', '-m', message);
  return bench.sh(worktree.path, 'rev-parse', 'HEAD').trim();
}

const branches = () => bench.sh(repo, 'for-each-ref', '--format=%(refname:short)', 'refs/heads').trim().split('\n');

/** Nothing of the worktree is left: folder, branch, entry, claim, things on their way. */
function expectAllGone(): void {
  expect(existsSync(worktree.path)).toBe(false);
  expect(branches()).toEqual(['main']);
  expect(bench.sh(repo, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
  const shelf = join(worktree.path, '..');
  for (const name of readdirSync(shelf)) expect([name, readdirSync(join(shelf, name))]).toEqual([name, []]);
}

describe('without force', () => {
  test('a worktree that holds nothing of its own goes with its branch, ignored files and setup links', async () => {
    bench.write(join(worktree.path, 'ignored/big'), 'x');
    symlinkSync(join(repo, 'node_modules'), join(worktree.path, 'node_modules'));
    expect(isSafe(await inspect())).toBe(true);
    expect((await inspect()).ignored).toEqual(['ignored/']);
    expect(granted(await remove())).toEqual({ backupRef: null, deletedBranch: 'concert/fix', notes: [] });
    expectAllGone();
  });

  test('commits that main, another branch, a remote or a tag has are no obstacle', async () => {
    commit('Merged');
    bench.sh(repo, 'merge', '-q', '--ff-only', 'concert/fix');
    expect(granted(await remove())).toMatchObject({ backupRef: null, deletedBranch: 'concert/fix' });
    expectAllGone();
  });

  test('dirty work stays, and the sentence names it', async () => {
    bench.write(join(worktree.path, 'readme.md'), 'edited');
    bench.write(join(worktree.path, 'new\u001b[31m.txt'), 'new');
    bench.write(join(worktree.path, 'staged.txt'), 'staged');
    bench.sh(worktree.path, 'add', 'staged.txt');
    expect(await remove()).toEqual({
      ok: false,
      code: 'git/unsafe-removal',
      message: 'The worktree "fix" stays: it has 3 uncommitted files ("readme.md", "staged.txt" and "new?[31m.txt")',
    });
    expect(readFileSync(join(worktree.path, 'readme.md'), 'utf8')).toBe('edited');
    expect(bench.sh(worktree.path, 'status', '--porcelain')).toContain('A  staged.txt');
  });

  test('commits that are nowhere else stay, with their subjects', async () => {
    commit('One');
    commit('Two\n\nbody');
    commit('Three \u202e');
    commit('Four');
    const evidence = await inspect();
    expect(evidence.unmerged.newest.map(({ subject }) => subject)).toEqual(['Four', 'Three \u202e', 'Two', 'One']);
    expect(await remove()).toMatchObject({
      code: 'git/unsafe-removal',
      message: 'The worktree "fix" stays: it has 4 commits on no other branch ("Four", "Three ?", "Two" and 1 more)',
    });
  });

  test('commits on a detached head or left behind on the own branch count too', async () => {
    commit('On branch');
    bench.sh(worktree.path, 'checkout', '-q', '--detach', 'main');
    commit('On none');
    expect((await inspect()).unmerged.newest.map(({ subject }) => subject).sort()).toEqual(['On branch', 'On none']);
  });

  test('a half done merge, a lock, and what a stash holds are told', async () => {
    commit('Mine', 'readme.md');
    bench.write(join(repo, 'readme.md'), 'theirs');
    bench.sh(repo, 'commit', '-q', '-am', 'Theirs');
    bench.write(join(worktree.path, 'src/app.ts'), 'stashed');
    bench.sh(worktree.path, 'stash', '-q');
    expect(() => bench.sh(worktree.path, 'merge', 'main')).toThrow();
    bench.sh(repo, 'worktree', 'lock', '--reason', 'in use\nhere', worktree.path);
    const evidence = await inspect();
    expect([evidence.dirty.conflicted, evidence.stashes, evidence.locked]).toEqual([['readme.md'], 1, 'in use\nhere']);
    expect(spokenEvidence(evidence)).toBe(
      'it has 1 uncommitted file ("readme.md"); 1 commit on no other branch ("Mine"); a lock ("in use?here")',
    );
  });

  test('the branch of the person stays when the worktree goes', async () => {
    bench.sh(repo, 'branch', 'feature');
    const options = { repo, worktreesDir: bench.worktreesDir, session: 's_bbbb', name: 'other', branch: 'feature' };
    const other = granted(await createWorktree(bench.git, options));
    bench.sh(other.path, 'commit', '-q', '--allow-empty', '-m', 'Kept by its branch');
    expect(granted(await remove(false, other.path))).toEqual({ backupRef: null, deletedBranch: null, notes: [] });
    expect(branches()).toEqual(['concert/fix', 'feature', 'main']);
  });

  test('a branch that is checked out elsewhere stays', async () => {
    bench.sh(worktree.path, 'checkout', '-q', '--detach');
    const elsewhere = join(bench.root, 'elsewhere');
    bench.sh(repo, 'worktree', 'add', '-q', elsewhere, 'concert/fix');
    expect(granted(await remove())).toEqual({
      backupRef: null,
      deletedBranch: null,
      notes: [`The branch "concert/fix" is kept: it is checked out in "${elsewhere}"`],
    });
  });
});

describe('with force', () => {
  test('everything uncommitted can be had back from the backup', async () => {
    const tip = commit('Unmerged');
    bench.write(join(worktree.path, 'readme.md'), 'staged');
    bench.sh(worktree.path, 'add', 'readme.md');
    bench.write(join(worktree.path, 'readme.md'), 'edited');
    bench.write(join(worktree.path, 'deep/new\n\ttab "q" é.txt'), 'new');
    bench.write(join(worktree.path, 'run.sh'), '#!/bin/sh\n');
    bench.sh(worktree.path, 'update-index', '--add', '--chmod=+x', 'run.sh');
    symlinkSync('/etc/passwd', join(worktree.path, 'link'));
    bench.write(join(worktree.path, 'binary'), new Uint8Array([0, 255, 10, 13, 10]));
    rmSync(join(worktree.path, 'src/app.ts'));
    bench.write(join(worktree.path, 'src/app.ts/now-a-folder'), 'x');
    bench.write(join(worktree.path, 'secret.log'), 'ignored');
    const removed = granted(await remove(true));
    expect(removed).toEqual({
      backupRef: `refs/concert/trash/fix/${at}`,
      deletedBranch: 'concert/fix',
      notes: [],
    });
    expectAllGone();

    const show = (path: string) => bench.sh(repo, 'cat-file', 'blob', `${removed.backupRef}:${path}`);
    expect(bench.sh(repo, 'ls-tree', '-r', '-z', '--name-only', `${removed.backupRef}`).split('\0').sort()).toEqual([
      '',
      '.gitignore',
      'binary',
      'deep/new\n\ttab "q" é.txt',
      'link',
      'readme.md',
      'run.sh',
      'src/app.ts/now-a-folder',
      'work.txt',
    ]);
    expect([show('readme.md'), show('link'), show('deep/new\n\ttab "q" é.txt')]).toEqual([
      'edited',
      '/etc/passwd',
      'new',
    ]);
    expect(bench.sh(repo, 'rev-parse', `${removed.backupRef}^1`).trim()).toBe(tip);
    expect(bench.sh(repo, 'cat-file', 'blob', `${removed.backupRef}^2:readme.md`)).toBe('staged');
    expect(bench.sh(repo, 'log', '-1', '--format=%an %at', `${removed.backupRef}`)).toBe(
      `Concertmaster ${at / 1000}\n`,
    );
    expect(bench.sh(repo, 'fsck', '--strict')).toBe('');
  });

  test('a file whose name is not UTF-8 is in the backup too', async () => {
    const name = Buffer.concat([Buffer.from(`${worktree.path}/caf`), Buffer.from([0xe9])]);
    writeFileSync(name, 'latin');
    const { backupRef } = granted(await remove(true));
    expect(bench.sh(repo, 'diff', '--name-status', 'main', `${backupRef}`)).toBe('A\t"caf\\351"\n');
  });

  test('clean commits are kept as they are, and a branch left behind is not forgotten', async () => {
    const onBranch = commit('On branch');
    expect(granted(await remove(true)).backupRef).toBe(`refs/concert/trash/fix/${at}`);
    expect(bench.sh(repo, 'rev-parse', `refs/concert/trash/fix/${at}`).trim()).toBe(onBranch);

    worktree = granted(
      await createWorktree(bench.git, { repo, worktreesDir: bench.worktreesDir, session: 's_bbbb', name: 'two' }),
    );
    const left = commit('Left on branch');
    bench.sh(worktree.path, 'checkout', '-q', '--detach', 'main');
    const detached = commit('Detached');
    const { backupRef } = granted(await remove(true));
    expect(bench.sh(repo, 'rev-parse', `${backupRef}^1`, `${backupRef}^2`).trim().split('\n')).toEqual([
      detached,
      left,
    ]);
  });

  test('a half done merge is kept with its conflict marks', async () => {
    commit('Mine', 'readme.md');
    bench.write(join(repo, 'readme.md'), 'theirs');
    bench.sh(repo, 'commit', '-q', '-am', 'Theirs');
    expect(() => bench.sh(worktree.path, 'merge', 'main')).toThrow();
    const { backupRef } = granted(await remove(true));
    expect(bench.sh(repo, 'cat-file', 'blob', `${backupRef}:readme.md`)).toContain('<<<<<<<');
  });

  test('backups are listed, and expire by their time', async () => {
    commit('A');
    const { backupRef } = granted(await remove(true));
    const ref = `${backupRef}`;
    const tip = bench.sh(repo, 'rev-parse', ref).trim();
    expect(await listBackups(bench.git, repo)).toEqual([{ ref, slug: 'fix', at, commit: tip }]);
    expect(await expireBackups(bench.git, repo, at)).toBe(0);
    expect(await expireBackups(bench.git, repo, at + 1)).toBe(1);
    expect(await listBackups(bench.git, repo)).toEqual([]);
  });

  test.each([
    ['a clone with a new file', (path: string) => bench.write(join(path, 'new'), 'x'), '1 uncommitted file, 1 commit'],
    ['a clone with own commits', () => {}, '1 commit that no remote has'],
  ])('%s inside is never taken along', async (_, arrange, what) => {
    const inner = join(worktree.path, 'vendor/inner');
    bench.sh(worktree.path, 'clone', '-q', repo, inner);
    bench.sh(inner, 'commit', '-q', '--allow-empty', '-m', 'Own');
    arrange(inner);
    const result = await remove(true);
    expect(result).toMatchObject({ ok: false, code: 'git/unsafe-removal' });
    expect(result.ok || result.message).toContain(`"vendor/inner" with ${what}`);
    expect(existsSync(join(inner, '.git/HEAD'))).toBe(true);
  });

  test('a clone inside whose commits a remote has goes along', async () => {
    bench.sh(worktree.path, 'clone', '-q', repo, join(worktree.path, 'inner'));
    expect(granted(await remove(true)).deletedBranch).toBe('concert/fix');
    expectAllGone();
  });

  test('work in a submodule is never taken along; without it the worktree goes', async () => {
    const lib = bench.repository('lib');
    bench.sh(worktree.path, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib, 'lib');
    bench.sh(worktree.path, 'commit', '-q', '-m', 'Submodule');
    bench.write(join(worktree.path, 'lib/new'), 'x');
    expect(await remove(true)).toMatchObject({ ok: false, code: 'git/unsafe-removal' });
    rmSync(join(worktree.path, 'lib/new'));
    expect((await inspect()).nested).toEqual([]);
    expect(granted(await remove(true)).backupRef).not.toBe(null);
    expectAllGone();
  });
});

describe('half-way states', () => {
  test('a folder deleted by hand: a merged branch goes, an unmerged one stays or is backed up', async () => {
    const tip = commit('Unmerged');
    rmSync(worktree.path, { recursive: true });
    expect(await remove()).toMatchObject({ ok: false, code: 'git/unsafe-removal' });
    expect(granted(await remove(true))).toEqual({
      backupRef: `refs/concert/trash/fix/${at}`,
      deletedBranch: 'concert/fix',
      notes: [],
    });
    expect(bench.sh(repo, 'rev-parse', `refs/concert/trash/fix/${at}`).trim()).toBe(tip);
    expectAllGone();
    expect(granted(await remove())).toEqual({ backupRef: null, deletedBranch: null, notes: [] });
  });

  test('a removal that died after moving the folder aside is taken back', async () => {
    bench.write(join(worktree.path, 'new.txt'), 'new');
    renameSync(worktree.path, join(worktree.path, '../.removing/fix'));
    expect((await inspect()).dirty.untracked).toEqual(['new.txt']);
    expect(readFileSync(join(worktree.path, 'new.txt'), 'utf8')).toBe('new');
  });

  test('a removal that died after it had decided is finished', async () => {
    renameSync(worktree.path, join(worktree.path, '../.discarded/fix-1'));
    expect(granted(await remove()).deletedBranch).toBe('concert/fix');
    expectAllGone();
  });

  test('what was decided on is deleted at the next start, and nothing else', async () => {
    const shelf = join(worktree.path, '..');
    bench.write(join(shelf, '.discarded/old-1/file'), 'x');
    bench.write(join(shelf, '.removing/undecided/file'), 'x');
    bench.write(join(bench.worktreesDir, '.odd/.discarded/x'), 'x');
    await sweepWorktrees(bench.worktreesDir);
    expect(readdirSync(join(shelf, '.discarded'))).toEqual([]);
    expect(existsSync(join(shelf, '.removing/undecided/file'))).toBe(true);
    expect(existsSync(join(bench.worktreesDir, '.odd/.discarded/x'))).toBe(true);
    expect(existsSync(join(worktree.path, 'readme.md'))).toBe(true);
    await sweepWorktrees(join(bench.root, 'none'));
  });

  test('work that appears in the last moment brings the folder back', async () => {
    const late = spying(bench.git, (args, cwd) => {
      if (args[0] === 'status' && cwd.includes('.removing')) bench.write(join(cwd, 'late.txt'), 'late');
    });
    const options = { repo, worktreesDir: bench.worktreesDir, path: worktree.path, at };
    expect(await removeWorktree(late, options)).toMatchObject({
      code: 'git/unsafe-removal',
      message: 'The worktree "fix" stays: it has 1 uncommitted file ("late.txt")',
    });
    expect(readFileSync(join(worktree.path, 'late.txt'), 'utf8')).toBe('late');
    expect(bench.sh(worktree.path, 'status', '--porcelain')).toBe('?? late.txt\n');
  });

  test('when the backup fails nothing is removed', async () => {
    bench.write(join(worktree.path, 'new.txt'), 'new');
    const broken = spying(bench.git, (args) => {
      if (args[0] === 'commit-tree') throw new Error('disk on fire');
    });
    const options = { repo, worktreesDir: bench.worktreesDir, path: worktree.path, at, force: true };
    await expect(removeWorktree(broken, options)).rejects.toThrow('disk on fire');
    expect(bench.sh(worktree.path, 'status', '--porcelain')).toBe('?? new.txt\n');
    expect(branches()).toEqual(['concert/fix', 'main']);
  });

  test('files git has forgotten are looked at before anything is decided', async () => {
    bench.write(join(worktree.path, 'new.txt'), 'new');
    renameSync(worktree.path, `${worktree.path}.away`);
    bench.sh(repo, 'worktree', 'prune', '--expire=now');
    renameSync(`${worktree.path}.away`, worktree.path);
    expect(await remove()).toMatchObject({ ok: false, code: 'git/unsafe-removal' });
    expect(readFileSync(join(worktree.path, 'new.txt'), 'utf8')).toBe('new');
  });

  test('the repository itself is gone: the files stay', async () => {
    bench.write(join(worktree.path, 'new.txt'), 'new');
    rmSync(repo, { recursive: true });
    expect(await remove(true)).toMatchObject({ ok: false, code: 'git/not-a-repository' });
    mkdirSync(repo);
    expect(await remove(true)).toMatchObject({ ok: false, code: 'git/not-a-repository' });
    bench.repository();
    expect(await remove(true)).toMatchObject({ ok: false, code: 'git/unknown-ref' });
    expect(readFileSync(join(worktree.path, 'new.txt'), 'utf8')).toBe('new');
  });
});

describe('nothing else is removed', () => {
  test.each([
    ['the repository', () => repo],
    ['a folder beside', () => join(bench.root, 'beside')],
    ['the worktrees folder', () => bench.worktreesDir],
    ["the project's folder", () => join(worktree.path, '..')],
    ['the folder of claims', () => join(worktree.path, '../.claims')],
    ['a way out', () => `${worktree.path}/../../../../beside`],
    ['a folder inside', () => join(worktree.path, 'src')],
    ['a worktree of the person', () => join(bench.root, 'own')],
    ['the root', () => '/'],
  ])('%s', async (_, pathOf) => {
    bench.write(join(bench.root, 'beside/file'), 'x');
    bench.sh(repo, 'worktree', 'add', '-q', '-b', 'own', join(bench.root, 'own'));
    expect(await remove(true, pathOf())).toMatchObject({ ok: false, code: 'git/unsafe-removal' });
    expect(readFileSync(join(bench.root, 'beside/file'), 'utf8')).toBe('x');
    expect(existsSync(join(repo, 'readme.md'))).toBe(true);
    expect(existsSync(join(bench.root, 'own/readme.md'))).toBe(true);
    expect(existsSync(join(worktree.path, 'src/app.ts'))).toBe(true);
  });

  test('not through a link, neither the last part of the path nor one inside', async () => {
    const treasure = bench.write(join(bench.root, 'treasure/file'), 'x');
    symlinkSync(join(bench.root, 'treasure'), join(worktree.path, 'ignored'));
    symlinkSync(repo, join(worktree.path, '../linked'));
    expect(await remove(true, join(worktree.path, '../linked'))).toMatchObject({ code: 'git/unsafe-removal' });
    granted(await remove(true));
    expect(readFileSync(treasure, 'utf8')).toBe('x');
    expect(existsSync(join(repo, 'readme.md'))).toBe(true);
  });
});
