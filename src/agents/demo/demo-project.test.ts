import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDemoProject } from './demo-project.ts';

const run = promisify(execFile);
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'demo project '));
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

test('makes the same history everywhere, and only once', async () => {
  const folders = [join(home, 'one'), join(home, 'two')];
  for (const folder of folders) await createDemoProject({ folder });
  const logs = await Promise.all(
    folders.map((folder) =>
      run('git', ['log', '--format=%H %an <%ae> %cI'], { cwd: folder }).then(({ stdout }) => stdout),
    ),
  );
  expect(logs[0]).toBe(logs[1]);
  expect(logs[0]?.trim().split('\n')).toHaveLength(5);
  expect(logs[0]?.match(/Demo <demo@localhost> 2026-01-0\dT09:00:00/g)).toHaveLength(5);

  writeFileSync(join(home, 'one', 'NOTES.md'), 'mine');
  await createDemoProject({ folder: join(home, 'one') });
  const { stdout } = await run('git', ['status', '--porcelain'], { cwd: join(home, 'one') });
  expect(stdout).toBe('?? NOTES.md\n');
  expect(readdirSync(home).sort()).toEqual(['one', 'two']);
});

test('holds tests that pass and tests that fail', async () => {
  const folder = join(home, 'repo');
  await createDemoProject({ folder });
  const result = async (file: string) => {
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
    const argv = ['--test', '--test-reporter=tap', join(folder, file)];
    const { stdout } = await run(process.execPath, argv, { cwd: folder, env }).catch(
      (error: { stdout: string }) => error,
    );
    return [...stdout.matchAll(/^# (?:pass|fail) (\d+)$/gm)].map(([, count]) => Number(count));
  };
  const files = ['cart', 'login', 'rate-limit', 'search', 'logo', 'e2e/mobile'];
  expect(await Promise.all(files.map((name) => result(`test/${name}.test.js`)))).toEqual([
    [3, 0],
    [3, 1],
    [2, 0],
    [3, 0],
    [1, 0],
    [0, 1],
  ]);
});

test('picks up after a process that died half-way', async () => {
  const folder = join(home, 'repo');
  mkdirSync(`${folder}.partial/.git`, { recursive: true });
  await createDemoProject({ folder });
  expect(existsSync(join(folder, 'README.md'))).toBe(true);
  expect(readdirSync(home)).toEqual(['repo']);
});

test('leaves a folder with other files alone', async () => {
  const folder = join(home, 'theirs');
  mkdirSync(folder);
  writeFileSync(join(folder, 'thesis.txt'), 'years of work');
  await expect(createDemoProject({ folder })).rejects.toMatchObject({ code: 'folder-taken' });
  expect(readdirSync(home)).toEqual(['theirs']);
});

test('says when git is missing', async () => {
  const path = process.env.PATH;
  process.env.PATH = home;
  try {
    await expect(createDemoProject({ folder: join(home, 'repo') })).rejects.toMatchObject({ code: 'git-missing' });
  } finally {
    process.env.PATH = path;
  }
});
