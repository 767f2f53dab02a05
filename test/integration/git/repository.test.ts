import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRepository, readWorktreeStatus } from '../../../src/git/index.ts';
import { createWorkbench, granted, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(() => {
  bench = createWorkbench('facts');
});
afterEach(() => bench[Symbol.dispose]());

const facts = async (path: string) => granted(await readRepository(bench.git, path));

test('a repository, from its root, a folder inside and through a link', async () => {
  const repo = bench.repository();
  const expected = {
    root: repo,
    worktree: repo,
    gitDir: join(repo, '.git'),
    commonDir: join(repo, '.git'),
    isBare: false,
    isLinked: false,
    head: bench.sh(repo, 'rev-parse', 'HEAD').trim(),
    branch: 'main',
    defaultBranch: 'main',
  };
  symlinkSync(repo, join(bench.root, 'link'));
  expect(await facts(repo)).toEqual(expected);
  expect(await facts(join(repo, 'src'))).toEqual(expected);
  expect(await facts(join(bench.root, 'link/src'))).toEqual(expected);
});

test('a detached head, a linked worktree, a bare repository, a clone, and one without commits', async () => {
  const repo = bench.repository();
  const head = bench.sh(repo, 'rev-parse', 'HEAD').trim();
  const linked = join(bench.root, 'linked\nworktree');
  bench.sh(repo, 'worktree', 'add', '-q', '--detach', linked);
  expect(await facts(linked)).toMatchObject({ root: repo, worktree: linked, isLinked: true, head, branch: null });

  bench.sh(repo, 'branch', '-m', 'trunk');
  expect((await facts(repo)).defaultBranch).toBe('trunk');
  bench.sh(bench.root, 'clone', '-q', '--bare', repo, 'bare.git');
  const bare = join(bench.root, 'bare.git');
  expect(await facts(bare)).toMatchObject({ root: bare, worktree: null, isBare: true, head, branch: 'trunk' });

  bench.sh(bench.root, 'clone', '-q', bare, 'clone');
  bench.sh(join(bench.root, 'clone'), 'checkout', '-q', '-b', 'other');
  expect(await facts(join(bench.root, 'clone'))).toMatchObject({ branch: 'other', defaultBranch: 'trunk' });

  bench.sh(bench.root, 'init', '-q', 'empty');
  expect(await facts(join(bench.root, 'empty'))).toMatchObject({ head: null, branch: 'main', defaultBranch: 'main' });
});

test('a broken repository is refused with what git said', async () => {
  const repo = bench.repository();
  bench.write(join(repo, '.git/config'), '[core\n');
  expect(await readRepository(bench.git, repo)).toMatchObject({
    code: 'git/failed',
    message: `Git cannot read the configuration of "${repo}": bad config line 1 in file .git/config`,
  });
  bench.write(join(bench.root, 'half/.git'), 'gitdir: /nowhere\n');
  expect(await readRepository(bench.git, join(bench.root, 'half'))).toMatchObject({ code: 'git/not-a-repository' });
  bench.write(join(bench.root, 'odd/.git'), 'nonsense');
  expect(await readRepository(bench.git, join(bench.root, 'odd'))).toMatchObject({ code: 'git/not-a-repository' });
});

test('a status counts by kind, and its order is git\u2019s own', async () => {
  const repo = bench.repository();
  bench.write(join(repo, '.gitignore'), '*.log\n');
  bench.write(join(repo, 'x.log'), '');
  bench.write(join(repo, 'deep/a\nb'), '');
  bench.write(join(repo, 'src/app.ts'), 'changed');
  bench.sh(repo, 'mv', 'readme.md', 'read me.md');
  expect(granted(await readWorktreeStatus(bench.git, repo, { withIgnored: true }))).toEqual({
    changed: ['read me.md', 'readme.md', 'src/app.ts'],
    untracked: ['.gitignore', 'deep/'],
    conflicted: [],
    ignored: ['x.log'],
  });
  expect(granted(await readWorktreeStatus(bench.git, repo, { untracked: 'files' })).untracked).toEqual([
    '.gitignore',
    'deep/a\nb',
  ]);
});
