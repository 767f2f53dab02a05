import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { lockHome } from './lock.ts';
import { processStartTicks } from './process-facts.ts';

test('a lock names its owner and goes with it', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'daemon.json');
  const lock = lockHome(path);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    pid: process.pid,
    startTicks: processStartTicks(process.pid),
  });
  if (lock.ok) lock.value[Symbol.dispose]();
  expect(existsSync(path)).toBe(false);
});

test('a living owner keeps the lock, and the sentence says who', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'daemon.json');
  const owner = { pid: process.ppid, startTicks: processStartTicks(process.ppid) };
  writeFileSync(path, JSON.stringify(owner));
  expect(lockHome(path)).toEqual({
    ok: false,
    code: 'daemon/already-running',
    message: `A daemon of this home runs already (process ${process.ppid}); this one did not start`,
  });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(owner);
});

test.each([
  ['another process that got its pid', JSON.stringify({ pid: process.ppid, startTicks: '1' })],
  ['nobody', JSON.stringify({ pid: 2 ** 22 + 1, startTicks: '1' })],
  ['a daemon that died while writing it', '{"pid":12'],
  ['no daemon at all', '[]'],
])('a lock left by %s is taken over', (_whose, content) => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'daemon.json');
  writeFileSync(path, content);
  const lock = lockHome(path);
  expect(lock.ok).toBe(true);
  if (lock.ok) lock.value[Symbol.dispose]();
});
