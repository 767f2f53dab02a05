import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { StartRecord } from './start-record.ts';

const minute = 60_000;

test('three starts within a minute that never served make the fourth read-only', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'starts.json');
  const begin = (at: number) => new StartRecord(path).begin(at);
  expect([begin(0), begin(1000), begin(2000), begin(3000)]).toEqual([false, false, false, true]);
});

test('a daemon that served and was killed from outside has not crashed', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'starts.json');
  const verdicts = [0, 1, 2, 3, 4].map((second) => {
    const record = new StartRecord(path);
    const isReadOnly = record.begin(second * 1000);
    record.served();
    return isReadOnly;
  });
  expect(verdicts).toEqual([false, false, false, false, false]);
});

test('ends by an error of our own count, an orderly stop wipes them, and so does a minute', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'starts.json');
  for (const at of [0, 1, 2]) new StartRecord(path).crashed(at);
  expect(new StartRecord(path).begin(3)).toBe(true);
  expect(new StartRecord(path).begin(minute + 3)).toBe(false);
  new StartRecord(path).clear();
  expect(new StartRecord(path).begin(4)).toBe(false);
});

test('a damaged record counts as none', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'starts.json');
  writeFileSync(path, '{"not":"a list"');
  expect(new StartRecord(path).begin(5)).toBe(false);
});
