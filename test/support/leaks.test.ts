import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap.mjs';

/** What each file of `leaking/` was failed for, by file name; empty for one that passed. */
let complaints: Record<string, string>;

beforeAll(async () => {
  const reportFile = join(tmpdir(), 'report.json');
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/support/leaking/vitest.config.ts'];
  const child = spawn(process.execPath, [...args, '--reporter=json', `--outputFile=${reportFile}`], {
    cwd: root,
    stdio: 'ignore',
  });
  await once(child, 'exit');
  const report: { testResults: { name: string; status: string; message: string }[] } = JSON.parse(
    readFileSync(reportFile, 'utf8'),
  );
  complaints = Object.fromEntries(
    report.testResults.map(({ name, status, message }) => [basename(name), status === 'passed' ? '' : message]),
  );
}, 120_000);

it.each([
  ['timer.ts', /timer set at .*leaking\/timer\.ts:4:/],
  ['socket.ts', /open socket tcp 0100007F:/],
  ['pty.ts', /open PTY \(\/dev\/ptmx\)[\s\S]*child process \d+: \/bin\/sleep 61/],
  ['child.ts', /child process \d+: \/bin\/sleep 62/],
  ['orphan.ts', /child process \d+: sleep 63/],
  ['thread.ts', /open worker thread/],
  ['file.ts', /open .*left-open/],
])('fails %s', (file, complaint) => {
  expect(complaints[file]).toMatch(complaint);
});

it('passes a file that closes in its own last hook', () => {
  expect(complaints).toHaveProperty('tidy.ts', '');
});
