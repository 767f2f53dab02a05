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
import { createGit, createWorktree, projectSlug } from '../../../src/git/index.ts';
import { createWorkbench, granted, realClock, type Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(() => {
  bench = createWorkbench('worktree');
});
afterEach(() => bench[Symbol.dispose]());

async function create(repo: string, name: string, session = 's_aaaa', more: { branch?: string; base?: string } = {}) {
  return await createWorktree(bench.git, { repo, worktreesDir: bench.worktreesDir, session, name, ...more });
}

const shelfOf = (repo: string) => join(bench.worktreesDir, projectSlug(repo));

describe('a new worktree', () => {
  test('stands at its base on a branch of its own, and leaves nothing else behind', async () => {
    const repo = bench.repository();
    const head = bench.sh(repo, 'rev-parse', 'HEAD').trim();
    expect(granted(await create(repo, 'Fix the Login!'))).toEqual({
      path: join(shelfOf(repo), 'fix-the-login'),
      slug: 'fix-the-login',
      branch: 'concert/fix-the-login',
      ownsBranch: true,
      baseRef: 'main',
      baseCommit: head,
      project: repo,
      outcome: 'created',
      notes: [],
    });
    const path = join(shelfOf(repo), 'fix-the-login');
    expect(readFileSync(join(path, 'src/app.ts'), 'utf8')).toBe('export const app = 1;\n');
    expect(bench.sh(path, 'status', '--porcelain=v2', '--branch')).toBe(
      `# branch.oid ${head}\n# branch.head concert/fix-the-login\n`,
    );
    expect(bench.sh(repo, 'worktree', 'list', '--porcelain')).toBe(
      `worktree ${repo}\nHEAD ${head}\nbranch refs/heads/main\n\nworktree ${path}\nHEAD ${head}\nbranch refs/heads/concert/fix-the-login\n\n`,
    );
    expect(readdirSync(join(shelfOf(repo), '.making'))).toEqual([]);
    expect(bench.sh(repo, 'fsck')).toBe('');
  });

  test('of a taken name gets the next free one: folder, branch or branch folder of that name', async () => {
    const repo = bench.repository();
    bench.sh(repo, 'branch', 'concert/fix-2');
    bench.sh(repo, 'branch', 'concert/fix-3/deeper');
    mkdirSync(join(shelfOf(repo), 'fix-4'), { recursive: true });
    bench.write(join(shelfOf(repo), 'fix-4/mine.txt'), 'mine');
    symlinkSync('/', join(shelfOf(repo), 'fix-5'));
    expect(granted(await create(repo, 'fix', 's_aaaa')).slug).toBe('fix');
    expect(granted(await create(repo, 'fix', 's_bbbb')).slug).toBe('fix-6');
    expect(readFileSync(join(shelfOf(repo), 'fix-4/mine.txt'), 'utf8')).toBe('mine');
  });

  test('fifteen at once for one name get fifteen different ones', async () => {
    const repo = bench.repository();
    const sessions = Array.from({ length: 15 }, (_, index) => `s_many${index}`);
    const made = await Promise.all(sessions.map(async (session) => granted(await create(repo, 'same', session)).slug));
    expect(new Set(made).size).toBe(15);
    expect(bench.sh(repo, 'worktree', 'list').trim().split('\n')).toHaveLength(16);
  });

  test('tells how many uncommitted files stay behind', async () => {
    const repo = bench.repository();
    bench.write(join(repo, 'readme.md'), 'changed');
    bench.write(join(repo, 'new\n\u202efile'), 'x');
    bench.write(join(repo, 'third'), 'x');
    bench.sh(repo, 'add', 'third');
    expect(granted(await create(repo, 'x')).notes).toEqual([
      `3 uncommitted files in "${repo}" are not in the new worktree: "readme.md", "third" and "new??file"`,
    ]);
  });

  test('starts from a branch, a tag or a commit, and from the head of a linked worktree that was named', async () => {
    const repo = bench.repository();
    const first = bench.sh(repo, 'rev-parse', 'HEAD').trim();
    bench.sh(repo, 'tag', '-a', 'v1', '-m', 'v1');
    bench.sh(repo, 'commit', '--quiet', '--allow-empty', '-m', 'Second');
    const second = bench.sh(repo, 'rev-parse', 'HEAD').trim();
    const linked = join(bench.root, 'linked');
    bench.sh(repo, 'worktree', 'add', '-q', '-b', 'side', linked, first);
    const bases = [
      granted(await create(repo, 'a', 's_aaaa', { base: 'v1' })),
      granted(await create(repo, 'b', 's_bbbb', { base: second.slice(0, 10) })),
      granted(await create(linked, 'c', 's_cccc')),
      granted(await create(join(repo, 'src'), 'd', 's_dddd')),
    ];
    expect(bases.map(({ baseRef, baseCommit, project }) => [baseRef, baseCommit, project])).toEqual([
      ['v1', first, repo],
      [second.slice(0, 10), second, repo],
      ['side', first, repo],
      ['main', second, repo],
    ]);
  });

  test('works on a branch of the person, and never deletes the claim to it', async () => {
    const repo = bench.repository();
    bench.sh(repo, 'branch', 'feature/x');
    const made = granted(await create(repo, 'x', 's_aaaa', { branch: 'feature/x' }));
    expect([made.branch, made.ownsBranch, made.outcome]).toEqual(['feature/x', false, 'created']);
    expect(bench.sh(made.path, 'symbolic-ref', 'HEAD')).toBe('refs/heads/feature/x\n');
  });

  test.each(['with space', 'new\nline', 'ünï–💥', '-dash', '$(touch x)', 'a:b', '"quoted"', "it's"])(
    'works when repository and folder are called %j',
    async (name) => {
      const repo = bench.repository(name);
      const worktreesDir = join(bench.root, 'state', name, 'trees');
      const made = granted(await createWorktree(bench.git, { repo, worktreesDir, session: 's_aaaa', name }));
      expect(bench.sh(made.path, 'status', '--porcelain')).toBe('');
      const again = granted(await createWorktree(bench.git, { repo, worktreesDir, session: 's_aaaa', name }));
      expect([again.outcome, again.path]).toEqual(['adopted', made.path]);
      expect(made.path.startsWith(worktreesDir)).toBe(true);
    },
  );

  test.each([
    '--upload-pack=touch x',
    '$(touch x)',
    '../../..',
    '',
    '.lock',
    '@{-1}',
    'a\nb',
    'x'.repeat(1_000_000),
    '日本語',
  ])('has a safe name for session %#', async (name) => {
    const repo = bench.repository();
    const made = granted(await create(repo, name));
    expect(made.path).toBe(join(shelfOf(repo), made.slug));
    expect(bench.sh(repo, 'check-ref-format', '--branch', made.branch)).toBe(`${made.branch}\n`);
  });

  test('of a bare repository, and of a repository with submodules', async () => {
    const source = bench.repository('source');
    bench.sh(bench.root, 'clone', '--quiet', '--bare', source, 'bare.git');
    const made = granted(await create(join(bench.root, 'bare.git'), 'x'));
    expect(made.project).toBe(join(bench.root, 'bare.git'));
    expect(readdirSync(made.path).sort()).toEqual(['.git', 'readme.md', 'src']);

    const outer = bench.repository('outer');
    bench.sh(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', source, 'lib');
    bench.sh(outer, 'commit', '--quiet', '-m', 'Submodule');
    const withModule = granted(await create(outer, 'y'));
    expect(withModule.notes).toEqual([
      'Submodules of "outer" are not checked out in the new worktree; a setup command can do it',
    ]);
    expect(readdirSync(join(withModule.path, 'lib'))).toEqual([]);
    const inner = granted(await create(join(outer, 'lib'), 'z'));
    expect([inner.project, readdirSync(inner.path).sort()]).toEqual([join(outer, 'lib'), ['.git', 'readme.md', 'src']]);
    expect(granted(await create(inner.path, 'zz', 's_zzzz')).project).toBe(join(outer, 'lib'));
  });
});

describe('asked again for the same session', () => {
  test('gives the same worktree and leaves the work in it alone', async () => {
    const repo = bench.repository();
    const first = granted(await create(repo, 'x'));
    bench.write(join(first.path, 'work.txt'), 'work');
    bench.sh(first.path, 'checkout', '-q', '--detach');
    bench.sh(repo, 'commit', '-q', '--allow-empty', '-m', 'Base moves on');
    expect(granted(await create(repo, 'quite another name'))).toEqual({ ...first, outcome: 'adopted' });
    expect(bench.sh(first.path, 'status', '--porcelain', '--branch')).toBe('## HEAD (no branch)\n?? work.txt\n');
  });

  test('puts a folder that was deleted by hand back, with the commits of its branch', async () => {
    const repo = bench.repository();
    const first = granted(await create(repo, 'x'));
    bench.write(join(first.path, 'work.txt'), 'work');
    bench.sh(first.path, 'add', '.');
    bench.sh(first.path, 'commit', '-q', '-m', 'Work');
    rmSync(first.path, { recursive: true });
    expect(granted(await create(repo, 'x'))).toEqual({ ...first, outcome: 'repaired' });
    expect(readFileSync(join(first.path, 'work.txt'), 'utf8')).toBe('work');
    expect(bench.sh(first.path, 'status', '--porcelain', '--branch')).toBe('## concert/x\n');
  });

  test('keeps a commit that only the deleted folder knew', async () => {
    const repo = bench.repository();
    const first = granted(await create(repo, 'x'));
    bench.sh(first.path, 'checkout', '-q', '--detach');
    bench.sh(first.path, 'commit', '-q', '--allow-empty', '-m', 'On no branch');
    const alone = bench.sh(first.path, 'rev-parse', 'HEAD').trim();
    rmSync(first.path, { recursive: true });
    const ref = `refs/concert/trash/x/${alone.slice(0, 16)}`;
    expect(granted(await create(repo, 'x')).notes).toEqual([
      `The folder was gone; its last commit, which was on no branch, is kept as ${ref}`,
    ]);
    expect(bench.sh(repo, 'rev-parse', ref).trim()).toBe(alone);
  });

  test.each(['pruned', 'dot-git deleted'])('keeps files git has forgotten: %s', async (how) => {
    const repo = bench.repository();
    const first = granted(await create(repo, 'x'));
    bench.write(join(first.path, 'committed.txt'), 'c');
    bench.sh(first.path, 'add', '.');
    bench.sh(first.path, 'commit', '-q', '-m', 'Work');
    bench.write(join(first.path, 'readme.md'), 'edited');
    bench.write(join(first.path, 'new.txt'), 'new');
    if (how === 'pruned') {
      renameSync(first.path, `${first.path}.away`);
      bench.sh(repo, 'worktree', 'prune', '--expire=now');
      renameSync(`${first.path}.away`, first.path);
    } else rmSync(join(first.path, '.git'));
    const again = granted(await create(repo, 'x'));
    expect([again.outcome, again.path]).toEqual(['repaired', first.path]);
    expect(bench.sh(first.path, 'status', '--porcelain', '--branch')).toBe('## concert/x\n M readme.md\n?? new.txt\n');
    expect(readFileSync(join(first.path, 'new.txt'), 'utf8')).toBe('new');
    expect(readdirSync(join(shelfOf(repo), '.making'))).toEqual([]);
    expect(bench.sh(repo, 'worktree', 'list').trim().split('\n')).toHaveLength(2);
  });

  test('does not touch what somebody else put in its place', async () => {
    const repo = bench.repository();
    const first = granted(await create(repo, 'x'));
    rmSync(first.path, { recursive: true });
    symlinkSync(repo, first.path);
    expect(await create(repo, 'x')).toMatchObject({ ok: false, code: 'git/failed' });
    rmSync(first.path);
    bench.sh(bench.root, 'clone', '-q', repo, first.path);
    expect(await create(repo, 'x')).toMatchObject({ ok: false, code: 'git/failed' });
    expect(existsSync(join(first.path, '.git/HEAD'))).toBe(true);
  });

  test('takes a damaged claim for somebody else', async () => {
    const repo = bench.repository();
    const first = granted(await create(repo, 'x'));
    const claim = join(shelfOf(repo), '.claims/x.json');
    writeFileSync(claim, readFileSync(claim, 'utf8').slice(0, 40));
    expect(granted(await create(repo, 'x')).slug).toBe('x-2');
    expect(existsSync(join(first.path, 'readme.md'))).toBe(true);
  });
});

describe('is refused', () => {
  test.each([
    ['a folder that is no repository', (b: Workbench) => b.root, {}, 'git/not-a-repository'],
    ['a folder that is not there', (b: Workbench) => join(b.root, 'none'), {}, 'git/not-a-repository'],
    ['a file', (b: Workbench) => b.write(join(b.root, 'file'), ''), {}, 'git/not-a-repository'],
    ['a path with NUL', (b: Workbench) => `${b.root}/a\0b`, {}, 'git/not-a-repository'],
    ["git's own folder", (b: Workbench) => join(b.repository(), '.git'), {}, 'git/not-a-repository'],
    ['a missing base', (b: Workbench) => b.repository(), { base: 'nowhere' }, 'git/unknown-ref'],
    [
      'a base that is an option',
      (b: Workbench) => b.repository(),
      { base: '--upload-pack=touch x' },
      'git/unknown-ref',
    ],
    ['a base that is a file', (b: Workbench) => b.repository(), { base: 'HEAD:readme.md' }, 'git/unknown-ref'],
    ['a base with NUL', (b: Workbench) => b.repository(), { base: 'a\0b' }, 'git/unknown-ref'],
    ['a bad branch', (b: Workbench) => b.repository(), { branch: '-oProxyCommand=touch x' }, 'git/invalid-name'],
    ['a branch in use', (b: Workbench) => b.repository(), { branch: 'main' }, 'git/branch-in-use'],
  ])('%s', async (_, repoOf, more, code) => {
    const repo = repoOf(bench);
    const result = await create(repo, 'x', 's_aaaa', more);
    expect(result).toMatchObject({ ok: false, code });
    const claims = join(shelfOf(repo), '.claims');
    expect(existsSync(claims) ? readdirSync(claims) : []).toEqual([]);
  });

  test('a repository without commits, also with a base', async () => {
    const repo = join(bench.root, 'empty');
    bench.sh(bench.root, 'init', '-q', repo);
    expect(await create(repo, 'x')).toEqual({
      ok: false,
      code: 'git/no-commits',
      message: `The repository "${repo}" has no commit yet, so there is nothing to start from`,
    });
    expect(await create(repo, 'x', 's_aaaa', { base: 'main' })).toMatchObject({ ok: false, code: 'git/unknown-ref' });
  });

  test('a branch checked out elsewhere, with the place', async () => {
    const repo = bench.repository();
    expect(await create(repo, 'x', 's_aaaa', { branch: 'main' })).toEqual({
      ok: false,
      code: 'git/branch-in-use',
      message: `The branch "main" is checked out in "${repo}"`,
      hint: 'Name another branch; if that folder is gone, git worktree prune',
    });
  });

  test('when a branch named concert leaves no room for its own', async () => {
    const repo = bench.repository();
    bench.sh(repo, 'branch', 'concert');
    expect(await create(repo, 'x')).toMatchObject({ ok: false, code: 'git/branch-in-use' });
  });

  test('without git', async () => {
    const git = createGit({ binary: join(bench.root, 'no-git'), env: bench.env, clock: realClock });
    const options = { repo: bench.repository(), worktreesDir: bench.worktreesDir, session: 's_aaaa', name: 'x' };
    expect(await createWorktree(git, options)).toMatchObject({ ok: false, code: 'git/missing' });
  });
});
