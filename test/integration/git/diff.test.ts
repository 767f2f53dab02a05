import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ChangedFile, diffPatch, diffStat } from '../../../src/git/index.ts';
import { createWorkbench, granted, type Workbench } from './workbench.ts';

let bench: Workbench;
let repo: string;

beforeEach(() => {
  bench = createWorkbench('diff');
  repo = bench.repository();
  bench.write(join(repo, 'numbers.txt'), lines(1, 60));
  bench.sh(repo, 'add', '.');
  bench.sh(repo, 'commit', '-q', '-m', 'Numbers');
  bench.sh(repo, 'checkout', '-q', '-b', 'work');
});
afterEach(() => bench[Symbol.dispose]());

function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');
}

function file(
  path: string,
  change: ChangedFile['change'],
  added: number,
  removed: number,
  more: Partial<ChangedFile> = {},
) {
  return { path, renamedFrom: null, change, added, removed, isBinary: false, ...more };
}

const stat = async (base = 'main') => granted(await diffStat(bench.git, { worktree: repo, base }));

async function patch(bytesMax?: number) {
  const chunks: Uint8Array[] = [];
  const options = { worktree: repo, base: 'main', ...(bytesMax === undefined ? {} : { bytesMax }) };
  const end = granted(await diffPatch(bench.git, options, (chunk) => void chunks.push(chunk)));
  return { ...end, text: Buffer.concat(chunks).toString('utf8') };
}

test('a clean worktree at its base has an empty diff', async () => {
  const from = bench.sh(repo, 'rev-parse', 'main').trim();
  expect(await stat()).toEqual({ from, files: [], added: 0, removed: 0, leftOut: { untracked: 0, nested: [] } });
  expect(await patch()).toEqual({ bytes: 0, isCut: false, text: '' });
});

test('committed, staged, unstaged and untracked changes are one diff; index and objects stay as they were', async () => {
  bench.write(join(repo, 'committed.txt'), 'a\nb\n');
  bench.sh(repo, 'add', '.');
  bench.sh(repo, 'commit', '-q', '-m', 'Work');
  bench.write(join(repo, 'staged.txt'), 'staged\n');
  bench.sh(repo, 'add', 'staged.txt');
  bench.write(join(repo, 'readme.md'), '# Changed\nmore\n');
  bench.write(join(repo, 'untracked/deep.txt'), 'x\ny\nz\n');
  bench.write(join(repo, 'empty'), '');
  renameSync(join(repo, 'numbers.txt'), join(repo, 'renamed.txt'));
  bench.write(join(repo, 'renamed.txt'), `${lines(1, 60)}line 61\n`);
  rmSync(join(repo, 'src/app.ts'));
  symlinkSync('readme.md', join(repo, 'link'));
  bench.write(join(repo, 'binary'), new Uint8Array([0, 1, 2]));
  const index = readFileSync(join(repo, '.git/index'));
  const objects = readdirSync(join(repo, '.git/objects'));

  const { files, added, removed } = await stat();
  expect(files.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
    file('binary', 'added', 0, 0, { isBinary: true }),
    file('committed.txt', 'added', 2, 0),
    file('empty', 'added', 0, 0),
    file('link', 'added', 1, 0),
    file('readme.md', 'modified', 2, 1),
    file('renamed.txt', 'renamed', 1, 0, { renamedFrom: 'numbers.txt' }),
    file('src/app.ts', 'deleted', 0, 1),
    file('staged.txt', 'added', 1, 0),
    file('untracked/deep.txt', 'added', 3, 0),
  ]);
  expect([added, removed]).toEqual([10, 2]);
  const { text, isCut } = await patch();
  expect(isCut).toBe(false);
  expect(text.match(/^diff --git .*/gm)).toHaveLength(9);
  expect(text).toContain('+++ b/untracked/deep.txt');
  expect(readFileSync(join(repo, '.git/index'))).toEqual(index);
  expect(readdirSync(join(repo, '.git/objects'))).toEqual(objects);
});

test('it starts where the branch left its base, not at what the base became', async () => {
  bench.write(join(repo, 'mine.txt'), 'mine\n');
  bench.sh(repo, 'add', '.');
  bench.sh(repo, 'commit', '-q', '-m', 'Mine');
  const left = bench.sh(repo, 'rev-parse', 'main').trim();
  bench.sh(repo, 'checkout', '-q', 'main');
  bench.write(join(repo, 'theirs.txt'), 'theirs\n');
  bench.sh(repo, 'add', '.');
  bench.sh(repo, 'commit', '-q', '-m', 'Theirs');
  bench.sh(repo, 'checkout', '-q', 'work');
  expect(await stat()).toMatchObject({ from: left, files: [file('mine.txt', 'added', 1, 0)] });
});

test.each([
  'tab\tand\nline',
  '"quoted"',
  ' lead and trail ',
  ':100644 000 a b M',
  '5\t7\tfake',
  '-dash',
  'ünï💥',
  '$(touch x)',
  'a => b',
  '{a => b}/c',
  '\u001b[2J',
])('a file called %j is told as it is, new, changed and renamed', async (name) => {
  bench.write(join(repo, `dir/${name}`), lines(1, 30));
  expect((await stat()).files).toEqual([file(`dir/${name}`, 'added', 30, 0)]);
  bench.sh(repo, 'add', '.');
  bench.sh(repo, 'commit', '-q', '-m', 'It');
  bench.sh(repo, 'branch', '-f', 'main');
  const flat = name.replaceAll('/', '_');
  renameSync(join(repo, `dir/${name}`), join(repo, `${flat}2`));
  expect((await stat()).files).toEqual([file(`${flat}2`, 'renamed', 0, 0, { renamedFrom: `dir/${name}` })]);
  expect((await patch()).text).not.toContain('\u001b');
});

test('file names and contents in other encodings do not break it', async () => {
  const name = Buffer.concat([Buffer.from(`${repo}/caf`), Buffer.from([0xe9])]);
  writeFileSync(name, new Uint8Array([0xe9, 0xe8, 10]));
  expect((await stat()).files).toEqual([file('caf\ufffd', 'added', 1, 0)]);
  expect((await patch()).text).toContain('+++ "b/caf\\351"');
});

test('the patch ends at its bound and says so', async () => {
  bench.write(join(repo, 'large.txt'), lines(1, 200_000));
  const { bytes, isCut, text } = await patch(10_000);
  expect([bytes, isCut, text.length]).toEqual([10_000, true, 10_000]);
});

test('of a flood of untracked files the first 5,000 are shown and the rest is counted', async () => {
  mkdirSync(join(repo, 'flood'));
  for (let index = 0; index < 5003; index++) writeFileSync(join(repo, `flood/${index}`), '');
  const { files, leftOut } = await stat();
  expect([files.length, leftOut]).toEqual([5000, { untracked: 3, nested: [] }]);
});

test('a reader that fails ends git and passes its error on', async () => {
  bench.write(join(repo, 'large.txt'), lines(1, 200_000));
  const failing = diffPatch(bench.git, { worktree: repo, base: 'main' }, () => {
    throw new Error('reader gone');
  });
  await expect(failing).rejects.toThrow('reader gone');
});

test('an undecided merge, a type change, a clone inside and no common history', async () => {
  bench.write(join(repo, 'readme.md'), 'mine\n');
  bench.sh(repo, 'commit', '-q', '-am', 'Mine');
  bench.sh(repo, 'checkout', '-q', 'main');
  bench.write(join(repo, 'readme.md'), 'theirs\n');
  bench.sh(repo, 'commit', '-q', '-am', 'Theirs');
  bench.sh(repo, 'checkout', '-q', 'work');
  expect(() => bench.sh(repo, 'merge', 'main')).toThrow();
  rmSync(join(repo, 'src/app.ts'));
  symlinkSync('nowhere', join(repo, 'src/app.ts'));
  bench.sh(repo, 'clone', '-q', repo, join(repo, 'inner'));
  const { files, leftOut } = await stat();
  expect(files.map(({ path, change }) => [path, change])).toEqual([
    ['readme.md', 'modified'],
    ['src/app.ts', 'type-changed'],
  ]);
  expect(leftOut).toEqual({ untracked: 0, nested: ['inner'] });

  const other = bench.sh(repo, 'commit-tree', '-m', 'Other root', 'main^{tree}').trim();
  expect((await stat(other)).from).toBe(other);
});

test('a base that is not there and a folder that lost its .git are refused', async () => {
  expect(await diffStat(bench.git, { worktree: repo, base: '--output=x' })).toMatchObject({ code: 'git/unknown-ref' });
  const inner = bench.repository('repo/nested');
  rmSync(join(inner, '.git'), { recursive: true });
  expect(await diffStat(bench.git, { worktree: inner, base: 'main' })).toMatchObject({ code: 'git/not-a-repository' });
});
