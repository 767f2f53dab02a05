import { hash } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyJournal, openWithoutWaiting, rows, temporaryFolder } from '../../test/support/store/fixtures.ts';
import { seeded } from '../../test/support/store/killed-program.ts';
import { openSqlite } from './db.ts';
import type { JournalFile, WriteItem } from './journal-file.ts';
import { openJournalFile } from './open-journal-file.ts';
import { decodeRow, encodeRow } from './row-hash.ts';
import { StoreError } from './store-error.ts';
import { verifyJournalFile } from './verify-journal.ts';

const lastSeq = 24;
const snapshotSeqs = [8, 14, 20];
/** Over all shapes; `FLIPS` and `SEED` ask for more and for others. */
const flips = Number(process.env.FLIPS ?? 1_000);
const seed = Number(process.env.SEED ?? 7);

/** How a journal may lie on disk: closed, killed before anything was folded in, killed in between. */
const shapes = ['closed', 'killed', 'half folded'] as const;
type Shape = (typeof shapes)[number];

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

beforeAll(() => {
  for (const shape of shapes) write(shape);
});

describe.each(shapes)('a journal that was %s', { timeout: 60_000 }, (shape) => {
  test('opens whole', () => {
    const path = fresh(shape);
    const { file, ...found } = open(path);
    using _file = file;
    expect(found).toMatchObject({
      condition: { kind: 'sound' },
      snapshot: { seq: 20, state: stateAt(20) },
      rows: rows(21, 4).map(encodeRow),
    });
    expect(verifyJournalFile(path)).toMatchObject({
      condition: { kind: 'sound' },
      events: lastSeq,
      snapshots: 3,
      claims: 5,
    });
  });

  test('cut at every 512 bytes never shows what was not written', () => {
    for (const suffix of ['', '-wal', '.head']) {
      const size = sizeOf(`${master(shape)}${suffix}`);
      for (let length = 0; length < size; length += 512) {
        const path = fresh(shape);
        truncateSync(`${path}${suffix}`, length);
        judge(path, `cut "${suffix}" to ${length} of ${size}`);
      }
    }
  });

  test(`with a bit flipped never shows what was not written`, () => {
    const chance = seeded(seed);
    const kinds = { sound: 0, damaged: 0 };
    for (let n = 0; n < flips / shapes.length; n += 1) {
      const path = fresh(shape);
      const where = flipBit(path, chance);
      kinds[judge(path, `seed ${seed}, flip ${n}, ${where}`)] += 1;
    }
    expect(kinds.damaged).toBeGreaterThan(0);
  });
});

function open(path: string) {
  return openJournalFile({ path, ballastBytes: 0, openDb: openWithoutWaiting });
}

/** What may be found: everything, or a clear word about damage with everything true up to there and no byte touched. */
function judge(path: string, what: string): 'sound' | 'damaged' {
  const before = contents(path);
  const { file, condition, snapshot, rows: found } = open(path);
  try {
    expect(['sound', 'damaged'], what).toContain(condition.kind);
    const end = condition.kind === 'damaged' ? condition.lastGoodSeq : lastSeq;
    const from = snapshot?.seq ?? 0;
    if (snapshot) expect(snapshot.state, what).toBe(stateAt(snapshot.seq));
    expect(found.map(decodeRow), what).toEqual(rows(from + 1, end - from));
    expectTrueHistory(file, what);
    expectTrueClaims(file, what);
    if (condition.kind !== 'damaged') return 'sound';
    expect(file.write([append(end + 1)]), what).toMatchObject([{ ok: false, error: { code: 'journal/damaged' } }]);
  } finally {
    file[Symbol.dispose]();
  }
  expect(contents(path), what).toEqual(before);
  return 'damaged';
}

/** Old events are proven when they are read: a true beginning, or a clear word. */
function expectTrueHistory(file: JournalFile, what: string): void {
  try {
    const history = file.read(0, lastSeq).map(decodeRow);
    expect(history, what).toEqual(rows(1, history.length));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    expect(error.code, what).toBe('journal/damaged');
  }
}

function expectTrueClaims(file: JournalFile, what: string): void {
  const [outcome] = file.write([{ type: 'coordinate', epoch: 3, request: { type: 'claimed', pool: 'p' } }]);
  if (outcome?.ok) expect(outcome.value, what).toEqual([{ task: 't_2', owner: 's_2', token: 1 }]);
  else expect(outcome?.error.code, what).toBe('journal/damaged');
}

function write(shape: Shape): void {
  const path = join(folder.path, `writing ${shape}.db`);
  const { file } = open(path);
  for (let seq = 1; seq <= lastSeq; seq += 1) {
    expect(file.write([append(seq)])).toEqual([{ ok: true, value: null }]);
    if (snapshotSeqs.includes(seq)) file.writeSnapshot(seq, stateAt(seq));
    if (seq === 16 && shape === 'half folded') fold(path);
  }
  if (shape === 'closed') file[Symbol.dispose]();
  copyJournal(path, master(shape));
  if (shape !== 'closed') file[Symbol.dispose]();
}

function append(seq: number): WriteItem {
  const steps: Extract<WriteItem, { type: 'append' }>['steps'] =
    seq <= 5 ? [{ type: 'enqueue', task: `t_${seq}`, pool: 'p' }] : seq === 6 ? claims : [];
  return { type: 'append', epoch: 3, rows: rows(seq, 1).map(encodeRow), steps };
}

const claims = [
  { type: 'claim', task: 't_1', owner: 's_1', token: 1 },
  { type: 'claim', task: 't_2', owner: 's_2', token: 1 },
  { type: 'commit', task: 't_1', owner: 's_1', token: 1 },
] as const;

function stateAt(seq: number): string {
  return JSON.stringify({ seq, filler: 'state '.repeat(seq * 20) });
}

function fold(path: string): void {
  using db = openSqlite(path, 'write');
  db.pragma('wal_checkpoint(PASSIVE)');
}

function master(shape: Shape): string {
  return join(folder.path, `${shape}.db`);
}

function fresh(shape: Shape): string {
  const path = join(folder.path, 'journal.db');
  copyJournal(master(shape), path);
  return path;
}

function contents(path: string): string[] {
  return ['', '-wal', '.head'].map((suffix) =>
    sizeOf(`${path}${suffix}`) > 0 ? hash('sha256', readFileSync(`${path}${suffix}`)) : 'empty',
  );
}

function flipBit(path: string, chance: () => number): string {
  const files = ['', '-wal', '.head'].map((suffix) => ({ suffix, size: sizeOf(`${path}${suffix}`) }));
  let at = Math.floor(chance() * files.reduce((sum, { size }) => sum + size, 0));
  const bit = Math.floor(chance() * 8);
  for (const { suffix, size } of files) {
    if (at < size) {
      const bytes = readFileSync(`${path}${suffix}`);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      writeFileSync(`${path}${suffix}`, bytes);
      return `bit ${bit} of byte ${at} of "${suffix}"`;
    }
    at -= size;
  }
  throw new Error('No byte to flip');
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
