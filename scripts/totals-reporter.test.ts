import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './bootstrap.mjs';

it('counts tests, files that fail outside their tests, and errors nobody caught', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'totals-'));
  const write = (name: string, text: string) =>
    writeFileSync(join(folder, name), `import { afterAll, it } from 'vitest';\n${text}`);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  write(
    'tests.test.ts',
    "it('a', () => {});\nit('b', () => {});\nit('c', () => { throw new Error('c'); });\nit.skip('d');\n",
  );
  write('loading.test.ts', "throw new Error('does not load');\n");
  write('hook.test.ts', "it('e', () => {});\nafterAll(() => { throw new Error('hook'); });\n");
  write('stray.test.ts', "it('f', () => void Promise.reject(new Error('stray')));\n");

  const file = join(folder, 'totals.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporter = `--reporter=${join(root, 'scripts/totals-reporter.ts')}`;
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--root', folder, reporter], {
    env: { ...process.env, CONCERT_TEST_TOTALS: file },
  });
  const totals = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(folder, { recursive: true });
  expect({ status, totals }).toEqual({ status: 1, totals: { passed: 4, failed: 4, skipped: 1 } });
});
