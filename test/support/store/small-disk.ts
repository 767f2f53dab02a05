/**
 * Runs on a small disk of its own (see `journal-disk.test.ts`): `node small-disk.ts <mounted folder> <points>`. Throws
 * when a promise is broken; prints what it tried.
 */
import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SpaceNotice } from '../../../src/store/journal-file.ts';
import { type OpenedFile, openJournalFile } from '../../../src/store/open-journal-file.ts';
import { decodeRow, encodeRow } from '../../../src/store/row-hash.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import { verifyJournalFile } from '../../../src/store/verify-journal.ts';
import { copyJournal, rows, temporaryFolder } from './fixtures.ts';

const [, , disk = '', points = '1'] = process.argv;
const path = join(disk, 'journal.db');
const pageBytes = 4096;

/** Full, save for this many pages. */
function fillUp(pagesLeft: number): void {
  const file = openSync(join(disk, 'filler'), 'a');
  let size = 0;
  try {
    for (let step = 1024 * 1024; step >= 1; step /= 2) {
      try {
        for (;;) size += writeSync(file, Buffer.alloc(step, 1));
      } catch (error) {
        equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      }
    }
    ftruncateSync(file, Math.max(0, size - pagesLeft * pageBytes));
  } finally {
    closeSync(file);
  }
}

function makeRoom(): void {
  rmSync(join(disk, 'filler'));
}

function startOver(): void {
  for (const name of readdirSync(disk)) rmSync(join(disk, name));
}

function open(ballastBytes = 0): OpenedFile {
  return openJournalFile({ path, ballastBytes });
}

/** Undefined when it was acknowledged. */
function append({ file }: OpenedFile, seq: number): StoreError | undefined {
  const [outcome] = file.write([{ type: 'append', epoch: 1, rows: rows(seq, 1).map(encodeRow), steps: [] }]);
  return outcome?.ok ? undefined : outcome?.error;
}

/** Appends from `seq` on until it is refused, which must be for want of room. Answers the last that was acknowledged. */
function appendUntilFull(opened: OpenedFile, seq: number): number {
  for (let next = seq; next < seq + 20_000; next += 1) {
    const refused = append(opened, next);
    if (!refused) continue;
    deepEqual({ code: refused.code, retryable: refused.retryable }, { code: 'disk/full', retryable: true });
    return next - 1;
  }
  throw new Error('The disk was never full');
}

/** What a kill now would leave holds exactly these events. */
function expectOnDisk(lastSeq: number): void {
  using elsewhere = temporaryFolder();
  const copy = join(elsewhere.path, 'journal.db');
  copyJournal(path, copy);
  const { file, condition, rows: found } = openJournalFile({ path: copy, ballastBytes: 0 });
  file[Symbol.dispose]();
  deepEqual({ condition, rows: found.map(decodeRow) }, { condition: { kind: 'sound' }, rows: rows(1, lastSeq) });
}

function whenFullAtEveryPage(): void {
  for (let pagesLeft = 0; pagesLeft < Number(points); pagesLeft += 1) {
    startOver();
    const opened = open();
    equal(append(opened, 1), undefined);
    fillUp(pagesLeft);
    const last = appendUntilFull(opened, 2);
    throws(
      () => opened.file.writeSnapshot(last, JSON.stringify('x'.repeat(pagesLeft * pageBytes + 100_000))),
      StoreError,
    );
    ok(append(opened, last + 1));
    expectOnDisk(last);
    makeRoom();
    equal(append(opened, last + 1), undefined);
    opened.file[Symbol.dispose]();
    expectOnDisk(last + 1);
    equal(verifyJournalFile(path).condition.kind, 'sound');
  }
}

function withReserve(): void {
  startOver();
  const ballastBytes = 512 * 1024;
  const opened = open(ballastBytes);
  while (opened.file.tend());
  equal(append(opened, 1), undefined);
  fillUp(0);
  const notices: SpaceNotice[] = [];
  const last = appendUntilFull(opened, 2);
  notices.push(...opened.file.takeNotices());
  ok(last > 20, `The reserve holds more than ${last} events`);
  makeRoom();
  equal(append(opened, last + 1), undefined);
  while (opened.file.tend());
  notices.push(...opened.file.takeNotices());
  deepEqual(notices, ['reserve-used', 'reserve-restored']);
  opened.file[Symbol.dispose]();
  expectOnDisk(last + 1);
}

function openingOnFullDisk(): void {
  startOver();
  fillUp(0);
  throws(() => open(), { code: 'disk/full' });
  makeRoom();

  const opened = open();
  for (let seq = 1; seq <= 20; seq += 1) equal(append(opened, seq), undefined);
  opened.file[Symbol.dispose]();
  fillUp(0);
  const found = open();
  deepEqual(found.rows.map(decodeRow), rows(1, 20));
  ok(append(found, 21));
  found.file[Symbol.dispose]();
  makeRoom();
  expectOnDisk(20);
}

function readOnlyDisk(): void {
  for (const leftAs of ['closed', 'killed']) {
    startOver();
    const opened = open();
    for (let seq = 1; seq <= 5; seq += 1) equal(append(opened, seq), undefined);
    using elsewhere = temporaryFolder();
    const copy = join(elsewhere.path, 'journal.db');
    if (leftAs === 'killed') copyJournal(path, copy);
    opened.file[Symbol.dispose]();
    if (leftAs === 'killed') copyJournal(copy, path);
    remount('ro');
    const found = open();
    equal(found.condition.kind, 'read-only', leftAs);
    deepEqual(found.rows.map(decodeRow), rows(1, 5));
    deepEqual(found.file.read(2, 10).map(decodeRow), rows(3, 3));
    equal(append(found, 6)?.code, 'disk/read-only');
    found.file[Symbol.dispose]();
    remount('rw');
    expectOnDisk(5);
  }
}

function remount(how: 'ro' | 'rw'): void {
  equal(spawnSync('mount', ['-o', `remount,${how}`, disk]).status, 0);
}

whenFullAtEveryPage();
withReserve();
openingOnFullDisk();
readOnlyDisk();
process.stdout.write(JSON.stringify({ points: Number(points) }));
