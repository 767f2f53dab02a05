import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { bundle, workerSource } from '../../test/support/store/bundle.ts';
import { ManualClock, rows, temporaryFolder } from '../../test/support/store/fixtures.ts';
import type { CoordinationStep, JournalRow } from '../fleet/index.ts';
import { congestedBytes, openJournal, waitingBytesMax } from './journal.ts';
import { backupJournal, repairJournal, verifyJournal } from './journal-care.ts';
import { StoreError } from './store-error.ts';

const shared = temporaryFolder();
const bundled = bundle(workerSource, shared.path);
afterAll(() => shared[Symbol.dispose]());

let path = '';
beforeEach(() => {
  const folder = temporaryFolder();
  path = join(folder.path, 'journal.db');
  onTestFinished(() => folder[Symbol.dispose]());
});

function open({
  workerEntry = bundled,
  clock = new ManualClock(),
  ballastBytes = 0,
  pagesCheckedBytesMax = 2 ** 30,
} = {}) {
  return openJournal({ path, workerEntry, clock, ballastBytes, pagesCheckedBytesMax });
}

function batch(first: number, count: number, { epoch = 1, steps = [] as CoordinationStep[] } = {}) {
  return { epoch, rows: rows(first, count), steps };
}

/** What opening finds, and nothing else. */
async function reopened() {
  const { journal, ...found } = await open();
  await journal[Symbol.asyncDispose]();
  return found;
}

function query(sql: string): unknown[] {
  const db = new Database(path);
  try {
    const statement = db.prepare(sql);
    return statement.reader ? statement.all() : [statement.run()];
  } finally {
    db.close();
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function walBytes(): number {
  return sizeOf(`${path}-wal`);
}

/** Makes the page that holds this text unreadable. */
function ruinPageOf(text: string): void {
  const bytes = readFileSync(path);
  const page = Math.floor(bytes.indexOf(text) / 4096) * 4096;
  bytes[page] = 0xff;
  writeFileSync(path, bytes);
}

const sound = { kind: 'sound' } as const;

describe('the journal', () => {
  test('begins empty, from source too', async () => {
    const { journal, ...found } = await open({ workerEntry: workerSource });
    await using _journal = journal;
    expect(found).toEqual({ snapshot: null, rows: [], epoch: 0, condition: sound });
  });

  test('gives back what was appended, in order', async () => {
    {
      const { journal } = await open();
      await using _journal = journal;
      await journal.append(batch(1, 3));
      await journal.append(batch(4, 1));
      expect(await journal.read(0, 100)).toEqual(rows(1, 4));
      expect(await journal.read(1, 2)).toEqual(rows(2, 2));
      expect(await journal.read(4, 100)).toEqual([]);
    }
    expect(await reopened()).toEqual({ snapshot: null, rows: rows(1, 4), epoch: 1, condition: sound });
  });

  test('resolves in call order, and what waits together shares a transaction', async () => {
    const { journal } = await open();
    await using _journal = journal;
    const order: number[] = [];
    const append = async (seq: number) => {
      await journal.append(batch(seq, 1));
      order.push(seq);
    };
    const before = walBytes();
    await Promise.all(Array.from({ length: 60 }, (_, n) => append(n + 1)));
    expect(order).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    expect(walBytes() - before).toBeLessThan(60 * 2 * 4096);
  });

  test('goes on from the newest snapshot and keeps three', async () => {
    {
      const { journal } = await open();
      await using _journal = journal;
      for (const seq of [1, 2, 3, 4, 5]) {
        await journal.append(batch(seq, 1));
        await journal.writeSnapshot(seq, `{"seq":${seq}}`);
      }
      await journal.append(batch(6, 2));
    }
    expect(await reopened()).toEqual({
      snapshot: { seq: 5, state: '{"seq":5}' },
      rows: rows(6, 2),
      epoch: 1,
      condition: sound,
    });
    expect(query('SELECT seq FROM snapshots')).toEqual([{ seq: 3 }, { seq: 4 }, { seq: 5 }]);
  });

  test('falls back to an older snapshot, and without one to every event', async () => {
    {
      const { journal } = await open();
      await using _journal = journal;
      for (const seq of [1, 2]) {
        await journal.append(batch(seq, 1));
        await journal.writeSnapshot(seq, `{"seq":${seq}}`);
      }
    }
    query(`UPDATE snapshots SET state = '{"seq":9}' WHERE seq = 2`);
    expect(await reopened()).toMatchObject({
      snapshot: { seq: 1, state: '{"seq":1}' },
      rows: rows(2, 1),
      condition: sound,
    });
    query(`UPDATE snapshots SET row_hash = zeroblob(32) WHERE seq = 1`);
    expect(await reopened()).toEqual({ snapshot: null, rows: rows(1, 2), epoch: 1, condition: sound });
  });

  test('opening raises no epoch; the first append of a higher one does, and fences the daemon before', async () => {
    const old = await open();
    await using oldJournal = old.journal;
    await oldJournal.append(batch(1, 1, { epoch: 4 }));
    const next = await open();
    await using newJournal = next.journal;
    expect(next.epoch).toBe(4);
    await newJournal.append({ epoch: 5, rows: [], steps: [] });
    await expect(oldJournal.append(batch(2, 1, { epoch: 4 }))).rejects.toMatchObject({
      code: 'journal/fenced',
      retryable: false,
    });
    await newJournal.append(batch(2, 1, { epoch: 5 }));
    expect(await newJournal.read(0, 10)).toEqual(rows(1, 2));
  });

  test('two daemons of one epoch: the second to write is told', async () => {
    const one = await open();
    await using oneJournal = one.journal;
    const other = await open();
    await using otherJournal = other.journal;
    await oneJournal.append(batch(1, 2));
    const late: JournalRow[] = [{ seq: 1, at: 1, host: 'h2', event: { type: 'daemon.stopped' } }];
    await expect(otherJournal.append({ epoch: 1, rows: late, steps: [] })).rejects.toMatchObject({
      code: 'journal/fenced',
    });
    expect(await oneJournal.read(0, 10)).toEqual(rows(1, 2));
  });

  test('a caller that skips an event is wrong', async () => {
    const { journal } = await open();
    await using _journal = journal;
    await expect(journal.append(batch(2, 1))).rejects.toThrow('expected 1');
    await journal.append(batch(1, 1));
  });

  test('refuses what would wait above the bound, and takes it again in order', async () => {
    const { journal } = await open();
    await using _journal = journal;
    const large = (seq: number): JournalRow => ({
      seq,
      at: 1,
      host: 'h1',
      event: { type: 'session.renamed', session: 's_1', name: 'x'.repeat(waitingBytesMax / 2 - 1000) },
    });
    const taken = [1, 2].map((seq) => journal.append({ epoch: 1, rows: [large(seq)], steps: [] }));
    const overloaded = { code: 'daemon/overloaded', retryable: true };
    await expect(journal.append({ epoch: 1, rows: [large(3)], steps: [] })).rejects.toMatchObject(overloaded);
    await expect(journal.append(batch(4, 1))).rejects.toMatchObject(overloaded);
    await Promise.all(taken);
    await journal.append(batch(3, 2));
    expect((await journal.read(2, 10)).map(({ seq }) => seq)).toEqual([3, 4]);
  });

  test('drained waits only while much is waiting', async () => {
    const { journal } = await open();
    await using _journal = journal;
    const name = 'x'.repeat(congestedBytes);
    const appended = journal.append({
      epoch: 1,
      rows: [{ seq: 1, at: 1, host: 'h1', event: { type: 'session.renamed', session: 's_1', name } }],
      steps: [],
    });
    const now = () => Promise.race([journal.drained().then(() => 'drained'), Promise.resolve().then(() => 'waits')]);
    expect(await now()).toBe('waits');
    await journal.drained();
    expect(await now()).toBe('drained');
    await appended;
  });

  test('refuses everything after a damage that was found while it runs', async () => {
    {
      const { journal } = await open();
      await using _journal = journal;
      for (let n = 0; n < 40; n += 1) await journal.append(batch(n * 50 + 1, 50));
      await journal.writeSnapshot(2000, '{}');
    }
    ruinPageOf('s_500"');
    const { journal, condition } = await open({ pagesCheckedBytesMax: 0 });
    await using _journal = journal;
    expect(condition).toEqual(sound);
    await new Promise((resolve) => journal.distrusted(resolve));
    await expect(journal.append(batch(2001, 1))).rejects.toMatchObject({ code: 'journal/damaged', retryable: false });
  });

  test('a newer schema is left as it is', async () => {
    {
      const { journal } = await open();
      await using _journal = journal;
      await journal.append(batch(1, 1));
    }
    query('CREATE TABLE more (a)');
    query('PRAGMA user_version = 99');
    const before = readFileSync(path);
    const { journal, condition, rows: found } = await open();
    expect({ condition, found }).toEqual({
      condition: { kind: 'newer', schemaVersion: 99, message: expect.stringContaining('newer version') },
      found: [],
    });
    await expect(journal.append(batch(1, 1))).rejects.toMatchObject({ code: 'journal/newer' });
    await journal[Symbol.asyncDispose]();
    expect(readFileSync(path)).toEqual(before);
  });

  test("another program's database is not taken for a journal", async () => {
    new Database(path).exec('CREATE TABLE mine (a)').close();
    expect((await reopened()).condition).toMatchObject({ kind: 'damaged', lastGoodSeq: 0 });
    expect(query('SELECT name FROM sqlite_master')).toEqual([{ name: 'mine' }]);
  });

  test('a worker that fails rejects everybody, once and for all', async () => {
    const { journal } = await open();
    await using _journal = journal;
    const wrong: JournalRow = { seq: 1, at: 1.5, host: 'h1', event: { type: 'daemon.stopped' } };
    const appended = journal.append({ epoch: 1, rows: [wrong], steps: [] });
    const beside = journal.read(0, 1);
    await expect(appended).rejects.toThrow('The journal worker failed');
    await expect(beside).rejects.toThrow('The journal worker failed');
    await expect(journal.read(0, 1)).rejects.toThrow('The journal worker failed');
    await journal.drained();
  });

  test('closing waits for what was asked, and refuses what comes later', async () => {
    const { journal } = await open();
    const appended = journal.append(batch(1, 5));
    await journal[Symbol.asyncDispose]();
    await appended;
    await expect(journal.append(batch(6, 1))).rejects.toThrow('closed');
    await journal[Symbol.asyncDispose]();
    expect((await reopened()).rows).toEqual(rows(1, 5));
  });

  test('upkeep empties the log and takes the reserve', async () => {
    const clock = new ManualClock();
    const ballastBytes = 3 * 1024 * 1024;
    const { journal } = await open({ clock, ballastBytes });
    await using _journal = journal;
    await journal.append(batch(1, 5));
    expect(walBytes()).toBeGreaterThan(0);
    clock.advance(1_000);
    while (sizeOf(`${path}.ballast`) < ballastBytes) await journal.read(0, 1);
    expect(walBytes()).toBe(0);
  });
});

describe('care of a journal', () => {
  test('a backup beside the daemon that writes is a journal itself', async () => {
    const { journal } = await open();
    await using _journal = journal;
    await journal.append(batch(1, 20));
    await journal.writeSnapshot(20, '{}');
    const to = `${path}.backup`;
    await backupJournal({ path, workerEntry: bundled, to });
    await journal.append(batch(21, 1));
    expect(await verifyJournal({ path: to, workerEntry: bundled })).toEqual({
      condition: sound,
      events: 20,
      lastSeq: 20,
      snapshots: 1,
      claims: 0,
      epoch: 1,
      gaps: [],
    });
    expect((await verifyJournal({ path, workerEntry: bundled })).events).toBe(21);
  });

  test('a damaged journal is told, repaired, and goes on', async () => {
    {
      const { journal } = await open();
      await using _journal = journal;
      await journal.append(batch(1, 20));
    }
    query(`UPDATE journal SET data = '{}' WHERE seq = 15`);
    const { journal, ...found } = await open();
    expect(found).toMatchObject({ rows: rows(1, 14), condition: { kind: 'damaged', lastGoodSeq: 14 } });
    await expect(journal.append(batch(15, 1))).rejects.toMatchObject({ code: 'journal/damaged', retryable: false });
    await journal[Symbol.asyncDispose]();
    const report = await repairJournal({ path, workerEntry: bundled });
    expect(report).toMatchObject({ isChanged: true, lastSeq: 14, keptAt: `${path}.damaged-1` });
    const repaired = await open();
    await using repairedJournal = repaired.journal;
    await repairedJournal.append(batch(15, 3));
    expect(await repairedJournal.read(0, 100)).toEqual(rows(1, 17));
  });

  test('a job on a journal that is not there says so', async () => {
    await expect(verifyJournal({ path, workerEntry: bundled })).rejects.toBeInstanceOf(StoreError);
  });
});

describe('coordination in a batch', () => {
  test('is written with the rows or not at all', async () => {
    const { journal } = await open();
    await using _journal = journal;
    const steps: CoordinationStep[] = [
      { type: 'enqueue', task: 't_1', pool: 'p' },
      { type: 'claim', task: 't_1', owner: 's_1', token: 1 },
    ];
    await journal.append(batch(1, 2, { steps }));
    const stale: CoordinationStep[] = [
      { type: 'enqueue', task: 't_2', pool: 'p' },
      { type: 'commit', task: 't_1', owner: 's_1', token: 7 },
    ];
    const fenced = journal.append(batch(3, 1, { steps: stale }));
    const behind = journal.append(batch(4, 1));
    const withoutRows = journal.append({ epoch: 1, rows: [], steps: [{ type: 'enqueue', task: 't_3', pool: 'p' }] });
    await expect(fenced).rejects.toBeInstanceOf(StoreError);
    await expect(behind).rejects.toMatchObject({ code: 'journal/fenced' });
    await expect(withoutRows).rejects.toMatchObject({ code: 'journal/fenced' });
    await journal.append(batch(3, 2, { steps: [{ type: 'commit', task: 't_1', owner: 's_1', token: 1 }] }));
    expect(await journal.read(0, 10)).toEqual(rows(1, 4));
    expect(query('SELECT task, status, owner, token FROM claims')).toEqual([
      { task: 't_1', status: 'done', owner: 's_1', token: 1 },
    ]);
  });

  test.each<[string, CoordinationStep]>([
    ['a claim that does not raise the token', { type: 'claim', task: 't_1', owner: 's_2', token: 1 }],
    ['a claim on an unknown task', { type: 'claim', task: 't_9', owner: 's_2', token: 1 }],
    ['a renewal under an old token', { type: 'renew', task: 't_1', owner: 's_1', token: 0 }],
    ['a release by another owner', { type: 'release', task: 't_1', owner: 's_2', token: 1 }],
    ['a commit of an unknown task', { type: 'commit', task: 't_9', owner: 's_1', token: 1 }],
  ])('%s refuses its batch', async (_name, step) => {
    const { journal } = await open();
    await using _journal = journal;
    const steps: CoordinationStep[] = [
      { type: 'enqueue', task: 't_1', pool: 'p' },
      { type: 'claim', task: 't_1', owner: 's_1', token: 1 },
    ];
    await journal.append(batch(1, 1, { steps }));
    await expect(journal.append(batch(2, 1, { steps: [step] }))).rejects.toMatchObject({ code: 'journal/fenced' });
    expect(await journal.read(0, 10)).toEqual(rows(1, 1));
  });
});
