import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { copyJournal, openWithoutWaiting, rows, temporaryFolder } from '../../test/support/store/fixtures.ts';
import { seeded } from '../../test/support/store/killed-program.ts';
import { backupJournalFile } from './backup-journal.ts';
import { openSqlite } from './db.ts';
import type { JournalFile } from './journal-file.ts';
import { openJournalFile } from './open-journal-file.ts';
import { repairJournalFile } from './repair-journal.ts';
import { decodeRow, encodeRow } from './row-hash.ts';
import { verifyJournalFile } from './verify-journal.ts';

const lastSeq = 30;
const snapshotSeqs = [10, 15, 20];

let folder = '';
let path = '';
let killed = '';
beforeEach(() => {
  const temporary = temporaryFolder();
  onTestFinished(() => temporary[Symbol.dispose]());
  folder = temporary.path;
  path = join(folder, 'journal.db');
  killed = join(folder, 'killed.db');
  const file = open();
  append(file, 1, lastSeq);
  copyJournal(path, killed);
  file[Symbol.dispose]();
});

describe('a repair', () => {
  test('leaves a sound journal alone', () => {
    const before = readFileSync(path);
    expect(repairJournalFile(path)).toEqual({
      isChanged: false,
      lastSeq,
      events: lastSeq,
      eventsFromCopies: 0,
      gaps: [],
      claims: 2,
      keptAt: null,
    });
    expect(readFileSync(path)).toEqual(before);
  });

  test('goes around a damaged old event and keeps the state', () => {
    spoil(`UPDATE journal SET data = '{}' WHERE seq = 4`);
    expect(verifyJournalFile(path).condition).toMatchObject({ kind: 'damaged', lastGoodSeq: 3 });
    expect(repairJournalFile(path)).toEqual({
      isChanged: true,
      lastSeq,
      events: lastSeq - 1,
      eventsFromCopies: 0,
      gaps: [{ first: 4, last: 4 }],
      claims: 2,
      keptAt: `${path}.damaged-1`,
    });
    expectSound({ gaps: [{ first: 4, last: 4 }] });
    expectGoesOn([...rows(1, 3), ...rows(5, lastSeq - 4)]);
    expect(verifyJournalFile(`${path}.damaged-1`).condition).toMatchObject({ kind: 'damaged', lastGoodSeq: 3 });
  });

  test('goes around a second damage after the first', () => {
    spoil(`UPDATE journal SET data = '{}' WHERE seq = 4`);
    repairJournalFile(path);
    spoil(`UPDATE journal SET data = '{}' WHERE seq = 12`);
    expect(repairJournalFile(path)).toMatchObject({ gaps: [{ first: 4, last: 4 }], eventsFromCopies: 1 });
    spoil(`UPDATE journal SET at = 0 WHERE seq = 12`);
    for (const n of [1, 2]) rmSync(`${path}.damaged-${n}`);
    const gaps = [
      { first: 4, last: 4 },
      { first: 12, last: 12 },
    ];
    expect(repairJournalFile(path)).toMatchObject({ gaps, eventsFromCopies: 0 });
    expectSound({ gaps });
  });

  test('takes what is damaged from a backup', () => {
    backupJournalFile(path, join(folder, 'backup.db'));
    spoil(`UPDATE journal SET data = '{}' WHERE seq IN (4, 25, 30)`);
    expect(repairJournalFile(path, [join(folder, 'none.db'), join(folder, 'backup.db')])).toMatchObject({
      events: lastSeq,
      eventsFromCopies: 3,
      gaps: [],
    });
    expectSound({ gaps: [] });
    expectGoesOn(rows(1, lastSeq));
  });

  test('loses two events when the hash between them is damaged', () => {
    spoil(`UPDATE journal SET row_hash = zeroblob(32) WHERE seq = 12`);
    expect(repairJournalFile(path)).toMatchObject({ events: lastSeq - 2, gaps: [{ first: 12, last: 13 }] });
    expectSound({ gaps: [{ first: 12, last: 13 }] });
  });

  test('tells a gap that no snapshot follows, and ends before it', () => {
    spoil(`UPDATE journal SET data = '{}' WHERE seq = 4`);
    repairJournalFile(path);
    rmSync(`${path}.damaged-1`);
    spoil(`DELETE FROM snapshots`);
    expect(conditionNow()).toMatchObject({ kind: 'damaged', lastGoodSeq: 3 });
    expect(verifyJournalFile(path).condition).toMatchObject({ kind: 'damaged' });
    expect(repairJournalFile(path)).toMatchObject({ isChanged: true, lastSeq: 3, events: 3, gaps: [] });
    expect(conditionNow()).toEqual({ kind: 'sound' });
  });

  test('ends before an event that nothing can replace', () => {
    spoil(`UPDATE journal SET row_hash = zeroblob(32) WHERE seq = 25`);
    expect(repairJournalFile(path)).toMatchObject({ lastSeq: 24, events: 24, gaps: [], claims: 2 });
    const file = open();
    append(file, 25, 6);
    expect(file.read(0, 100).map(decodeRow)).toEqual(rows(1, 30));
    file[Symbol.dispose]();
  });

  test('keeps epoch, claims and tokens, whichever copy of them is damaged', () => {
    spoil(`UPDATE meta SET value = 1`);
    spoil(`UPDATE claims SET token = 0 WHERE task = 't_1'`);
    const { file: closed, epoch, condition } = openJournalFile({ path, ballastBytes: 0 });
    closed[Symbol.dispose]();
    expect({ epoch, condition }).toMatchObject({ epoch: 3, condition: { kind: 'damaged', lastGoodSeq: lastSeq } });
    expect(repairJournalFile(path)).toMatchObject({ lastSeq, claims: 1 });
    using file = open();
    expect(file.write([{ type: 'append', epoch: 2, rows: [], steps: [] }])).toMatchObject([
      { ok: false, error: { code: 'journal/fenced' } },
    ]);
    expect(claimed(file)).toEqual([]);
  });

  test('believes the second copy of a claim when a bit of the first is flipped', () => {
    flip(path, `t_1${'p'}claimed`);
    expect(conditionNow()).toMatchObject({ kind: 'damaged' });
    expect(repairJournalFile(path)).toMatchObject({ lastSeq, claims: 2 });
    using file = open();
    expect(claimed(file)).toEqual([{ task: 't_1', owner: 's_1', token: 1 }]);
  });

  test('saves what is left of a journal whose log was cut', () => {
    copyJournal(killed, path);
    truncateSync(`${path}-wal`, 60_000);
    const { condition, file } = openJournalFile({ path, ballastBytes: 0 });
    file[Symbol.dispose]();
    const lastGoodSeq = condition.kind === 'damaged' ? condition.lastGoodSeq : 0;
    expect(lastGoodSeq).toBeGreaterThan(0);
    expect(repairJournalFile(path)).toMatchObject({ lastSeq: lastGoodSeq, gaps: [] });
    expect(conditionNow()).toEqual({ kind: 'sound' });
    expect(existsSync(`${path}.damaged-1-wal`)).toBe(true);
  });

  test('brings back a journal that is gone from its backup', () => {
    backupJournalFile(path, join(folder, 'backup.db'));
    rmSync(path);
    expect(conditionNow()).toMatchObject({ kind: 'damaged', lastGoodSeq: 0 });
    expect(existsSync(path)).toBe(false);
    expect(repairJournalFile(path, [join(folder, 'backup.db')])).toMatchObject({ events: lastSeq, keptAt: null });
    expectSound({ gaps: [] });
  });

  test.each(['QLite format 3', 'CREATE TABLE journal', 'host TEXT', 'claims_copy', 'row_hash BLOB'])(
    'reads on when a bit of "%s" on the first page is flipped',
    (word) => {
      flip(path, word);
      const { file, condition } = openJournalFile({ path, ballastBytes: 0 });
      expect(condition).toMatchObject({ kind: 'damaged' });
      expectNothingFalse(file);
      file[Symbol.dispose]();
      expect(repairJournalFile(path)).toMatchObject({ events: lastSeq, eventsFromCopies: 0, gaps: [], claims: 2 });
      expectSound({ gaps: [] });
      expect(readdirSync(folder).filter((name) => name.includes('healed'))).toEqual([]);
    },
  );

  test.each([0, 3])('reads on when the schema number became %i', (version) => {
    spoil(`PRAGMA user_version = ${version}`);
    expect(conditionNow()).toMatchObject({ kind: 'damaged' });
    expect(repairJournalFile(path)).toMatchObject({ events: lastSeq, gaps: [] });
    expectSound({ gaps: [] });
  });

  test('says so when nothing can be read', () => {
    const ruined = readFileSync(path).fill(0x5a, 4096);
    writeFileSync(path, ruined);
    expect(canRepair()).toBe(false);
    expect(readFileSync(path)).toEqual(ruined);
  });

  test('keeps the state when every event is lost', () => {
    spoil(`DELETE FROM journal`);
    expect(repairJournalFile(path)).toMatchObject({ lastSeq: 20, events: 0, gaps: [{ first: 1, last: 20 }] });
    expect(conditionNow()).toEqual({ kind: 'sound' });
    const file = open();
    append(file, 21, 3);
    expect(file.read(0, 100).map(decodeRow)).toEqual(rows(21, 3));
    file[Symbol.dispose]();
  });

  test('can be run again after a crash between its two renames', () => {
    copyJournal(killed, path);
    const head = readFileSync(`${path}.head`);
    writeFileSync(`${path}.head`, head.fill('x'));
    linkSync(path, `${path}.damaged-1`);
    renameSync(`${path}-wal`, `${path}.damaged-1-wal`);
    expect(repairJournalFile(path)).toMatchObject({ isChanged: true, events: lastSeq, gaps: [] });
    expectSound({ gaps: [] });
  });

  test('does not touch a newer journal', () => {
    spoil('PRAGMA user_version = 99; CREATE TABLE more (a INTEGER) STRICT');
    expect(() => repairJournalFile(path)).toThrow(expect.objectContaining({ code: 'journal/newer' }));
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  test('of any one flipped bit ends in a sound journal that holds nothing false', () => {
    const chance = seeded(Number(process.env.SEED ?? 7));
    const bytes = readFileSync(path);
    for (let n = 0; n < 60; n += 1) {
      const at = Math.floor(chance() * bytes.length);
      const bit = Math.floor(chance() * 8);
      const what = `bit ${bit} of byte ${at}`;
      for (const name of readdirSync(folder)) if (name.startsWith('journal.db.damaged')) rmSync(join(folder, name));
      const spoiled = Buffer.from(bytes);
      spoiled[at] = (spoiled[at] ?? 0) ^ (1 << bit);
      writeFileSync(path, spoiled);
      if (!canRepair()) {
        expect(readFileSync(path), what).toEqual(spoiled);
        continue;
      }
      expect(verifyJournalFile(path).condition, what).toEqual({ kind: 'sound' });
      using file = open();
      const history = file.read(0, 100).map(decodeRow);
      expect(history, what).toEqual(rows(1, lastSeq).filter(({ seq }) => history.some((row) => row.seq === seq)));
    }
  });
});

function open(): JournalFile {
  const { file, condition } = openJournalFile({ path, ballastBytes: 0, openDb: openWithoutWaiting });
  expect(condition).toEqual({ kind: 'sound' });
  return file;
}

function expectNothingFalse(file: JournalFile): void {
  try {
    const history = file.read(0, 100).map(decodeRow);
    expect(history).toEqual(rows(1, history.length));
  } catch (error) {
    expect(error).toMatchObject({ code: 'journal/damaged' });
  }
}

function conditionNow() {
  const { file, condition } = openJournalFile({ path, ballastBytes: 0 });
  file[Symbol.dispose]();
  return condition;
}

function append(file: JournalFile, first: number, count: number): void {
  for (let seq = first; seq < first + count; seq += 1) {
    const [row] = rows(seq, 1);
    if (!row) continue;
    const steps = seq === 1 ? firstSteps : [];
    expect(file.write([{ type: 'append', epoch: 3, rows: [encodeRow(row)], steps }])).toEqual([
      { ok: true, value: null },
    ]);
    if (snapshotSeqs.includes(seq)) file.writeSnapshot(seq, JSON.stringify({ seq }));
  }
}

const firstSteps = [
  { type: 'enqueue', task: 't_1', pool: 'p' },
  { type: 'enqueue', task: 't_2', pool: 'p' },
  { type: 'claim', task: 't_1', owner: 's_1', token: 1 },
] as const;

function claimed(file: JournalFile) {
  const [outcome] = file.write([{ type: 'coordinate', epoch: 3, request: { type: 'claimed', pool: 'p' } }]);
  return outcome?.ok && outcome.value;
}

/** The state and everything after it, and the whole of it by the full check. */
function expectSound({ gaps }: { gaps: { first: number; last: number }[] }): void {
  const { file, ...found } = openJournalFile({ path, ballastBytes: 0 });
  file[Symbol.dispose]();
  expect(found).toMatchObject({
    condition: { kind: 'sound' },
    snapshot: { seq: 20, state: '{"seq":20}' },
    rows: rows(21, 10).map(encodeRow),
    epoch: 3,
  });
  expect(verifyJournalFile(path)).toMatchObject({ condition: { kind: 'sound' }, lastSeq, gaps, claims: 2, epoch: 3 });
}

function expectGoesOn(history: ReturnType<typeof rows>): void {
  const file = open();
  append(file, lastSeq + 1, 2);
  expect(file.read(0, 100).map(decodeRow)).toEqual([...history, ...rows(lastSeq + 1, 2)]);
  file[Symbol.dispose]();
  expect(verifyJournalFile(path).condition).toEqual({ kind: 'sound' });
}

/** False when it says that nothing can be read, as of a file whose first page is spoiled. */
function canRepair(): boolean {
  try {
    repairJournalFile(path);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'journal/damaged' });
    return false;
  }
}

/** Damage that SQLite itself does not see. */
function spoil(sql: string): void {
  using db = openSqlite(path, 'write');
  db.exec(sql);
}

function flip(file: string, text: string): void {
  const bytes = readFileSync(file);
  const at = bytes.indexOf(text);
  expect(at).toBeGreaterThan(0);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}
