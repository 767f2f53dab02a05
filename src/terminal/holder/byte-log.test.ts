import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { segmentPath } from '../log-format.ts';
import { type LogItem, readLog, summarizeLog } from '../log-reader.ts';
import { ByteLog, type ByteLogOptions } from './byte-log.ts';
import { HolderTick } from './holder-tick.ts';
import { type LogFiles, realLogFiles } from './log-files.ts';

let root: string;
let tick: HolderTick;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'byte-log-'));
  tick = new HolderTick(5);
});

afterEach(() => {
  tick[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

const context = {
  session: 's_test',
  incarnation: 1,
  name: 'main',
  io: 'pty' as const,
  columns: 80,
  rows: 24,
  startedAt: 1,
};

/** Real files without the wait for the disk at the end: hundreds of logs are closed here. */
const quickFiles: LogFiles = {
  ...realLogFiles,
  syncAndClose: (descriptor, done) => {
    closeSync(descriptor);
    done();
  },
};

function openLog(options: Partial<ByteLogOptions> = {}): ByteLog {
  return ByteLog.open({
    folder: join(root, 'log'),
    context,
    retainBytes: 1e9,
    capBytes: 1e9,
    segmentBytes: 1e9,
    tick,
    onPressure: () => {},
    files: quickFiles,
    ...options,
  });
}

function finish(log: ByteLog): Promise<void> {
  return new Promise((resolve) => log.finish({ code: 0, signal: null, at: 2 }, resolve));
}

/** Every item with its bytes copied. */
function readAll(folder = join(root, 'log'), from = 0): LogItem[] {
  return [...copied(readLog(folder, from))];
}

function* copied(items: Iterable<LogItem>): Generator<LogItem> {
  for (const item of items) yield 'bytes' in item ? { ...item, bytes: new Uint8Array(item.bytes) } : item;
}

function output(items: readonly LogItem[]): string {
  return Buffer.concat(items.flatMap((item) => (item.kind === 'data' ? [item.bytes] : []))).toString('latin1');
}

test('keeps bytes, sizes, answers, errors and the exit in the order they came', async () => {
  const log = openLog();
  log.append(Buffer.from('hello '));
  log.resize(100, 30);
  log.append(Buffer.from('world'));
  log.answered(11);
  log.errors(Buffer.from('oops'));
  await finish(log);

  const exit = { code: 0, signal: null, at: 2 };
  expect(readAll()).toEqual([
    { kind: 'resize', offset: 0, columns: 80, rows: 24 },
    { kind: 'context', offset: 0, context: { ...context, startedFrom: 0 } },
    { kind: 'data', offset: 0, bytes: new Uint8Array(Buffer.from('hello ')) },
    { kind: 'resize', offset: 6, columns: 100, rows: 30 },
    { kind: 'data', offset: 6, bytes: new Uint8Array(Buffer.from('world')) },
    { kind: 'answer', offset: 11, query: 11 },
    { kind: 'errors', offset: 11, bytes: new Uint8Array(Buffer.from('oops')) },
    { kind: 'exit', offset: 11, exit },
    { kind: 'end', head: 11, tornBytes: 0 },
  ]);
  expect(summarizeLog(join(root, 'log'))).toEqual({
    retainedFrom: 0,
    head: 11,
    tornBytes: 0,
    context: { ...context, startedFrom: 0 },
    exit,
    columns: 100,
    rows: 30,
  });
});

test('reads from any offset with the size that holds there', async () => {
  const log = openLog();
  log.append(Buffer.from('0123456789'));
  log.resize(90, 20);
  log.append(Buffer.from('abcdef'));
  await finish(log);

  for (let from = 0; from <= 20; from++) {
    const items = readAll(undefined, from);
    expect(output(items)).toBe('0123456789abcdef'.slice(from));
    const size = items.find((item) => item.kind === 'resize' || item.kind === 'data');
    if (from < 10) expect(size).toEqual({ kind: 'resize', offset: from, columns: 80, rows: 24 });
    else expect(size).toEqual({ kind: 'resize', offset: from, columns: 90, rows: 20 });
    expect(items.at(-1)).toEqual({ kind: 'end', head: 16, tornBytes: 0 });
  }
});

test('a storm of sizes between two bytes is kept as the last one', async () => {
  const log = openLog();
  for (let columns = 1; columns <= 1000; columns++) log.resize(columns, 24);
  await finish(log);
  expect(readAll().filter((item) => item.kind === 'resize' && item.columns !== 80)).toEqual([
    { kind: 'resize', offset: 0, columns: 1000, rows: 24 },
  ]);
});

test('goes on after an earlier incarnation, after a torn tail as well', async () => {
  const first = openLog();
  first.append(Buffer.from('first'));
  await finish(first);
  const path = segmentPath(join(root, 'log'), 0);
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('torn record')]));

  const second = openLog({ context: { ...context, incarnation: 2 } });
  expect(second.startedFrom).toBe(5);
  second.append(Buffer.from('second'));
  await finish(second);

  const items = readAll();
  expect(output(items)).toBe('firstsecond');
  expect(items.filter((item) => item.kind === 'gap')).toEqual([]);
  expect(summarizeLog(join(root, 'log'))).toMatchObject({ head: 11, context: { incarnation: 2, startedFrom: 5 } });
});

test('cut at every byte, as by SIGKILL, it reads to the last whole record and goes on from there', async () => {
  const log = openLog();
  const texts = ['one ', 'two two ', 'three three three '];
  const ends = [0];
  for (const text of texts) {
    log.append(Buffer.from(text));
    log.flush();
    ends.push((ends.at(-1) ?? 0) + text.length);
  }
  await finish(log);
  const whole = readFileSync(segmentPath(join(root, 'log'), 0));
  const text = texts.join('');

  for (let cut = 0; cut < whole.length; cut++) {
    const folder = join(root, `cut-${cut}`);
    cpSync(join(root, 'log'), folder, { recursive: true });
    truncateSync(segmentPath(folder, 0), cut);
    const items = readAll(folder);
    const read = output(items);
    const end = items.at(-1);
    expect(items.filter((item) => item.kind === 'gap')).toEqual([]);
    expect(ends).toContain(read.length);
    expect(text.startsWith(read)).toBe(true);
    expect(end).toMatchObject({ kind: 'end', head: read.length });
    const isCutInRecord = end?.kind === 'end' && end.tornBytes > 0;

    const next = openLog({ folder, context: { ...context, incarnation: 2 } });
    next.append(Buffer.from('after'));
    await finish(next);
    const repaired = readAll(folder);
    expect(output(repaired)).toBe(`${read}after`);
    expect(repaired.at(-1)).toEqual({ kind: 'end', head: read.length + 5, tornBytes: 0 });
    expect(repaired.filter((item) => item.kind === 'gap')).toEqual([]);
    // A cut on a record's end leaves nothing torn; anywhere else the tail is reported.
    expect(isCutInRecord).toBe(!recordEnds(whole).includes(cut));
    rmSync(folder, { recursive: true });
  }
});

/** Places in the file where a record ends. */
function recordEnds(file: Buffer): number[] {
  const ends = [0];
  for (let at = 0; at < file.length; ) {
    at += 24 + file.readUInt32LE(at + 4);
    ends.push(at);
  }
  return ends;
}

test('a flipped bit anywhere costs one record, is told as a gap, and never gives wrong bytes', async () => {
  const log = openLog({ segmentBytes: 2000 });
  const text = Array.from({ length: 60 }, (_, i) => `line ${i} ${'x'.repeat(i * 3)}\n`).join('');
  for (let at = 0; at < text.length; at += 97) {
    log.append(Buffer.from(text.slice(at, at + 97)));
    log.flush();
  }
  await finish(log);
  const names = readdirSync(join(root, 'log')).filter((name) => name.endsWith('.seg'));
  expect(names.length).toBeGreaterThan(2);

  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(7), (file, place, bit) => {
      const path = join(root, 'log', names[file % names.length] as string);
      const bytes = readFileSync(path);
      const at = place % bytes.length;
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ (1 << bit);
      writeFileSync(path, flipped);
      try {
        const items = readAll();
        let next = 0;
        let missing = 0;
        for (const item of items) {
          if (item.kind === 'gap') {
            expect(item.from).toBe(next);
            expect(item.cause).toBe('damage');
            missing += item.to - item.from;
            next = item.to;
          } else if (item.kind === 'data') {
            expect(item.offset).toBe(next);
            expect(Buffer.from(item.bytes).toString('latin1')).toBe(text.slice(next, next + item.bytes.length));
            next += item.bytes.length;
          }
        }
        const end = items.at(-1);
        const isTold = items.some((item) => item.kind === 'gap') || (end?.kind === 'end' && end.tornBytes > 0);
        expect(isTold).toBe(true);
        expect(missing).toBeLessThanOrEqual(97);
        expect(text.length - next).toBeLessThanOrEqual(97);
      } finally {
        writeFileSync(path, bytes);
      }
    }),
    { numRuns: 200, seed: 7 },
  );
});

test('damage to a whole segment leaves the segments around it readable', async () => {
  const log = openLog({ segmentBytes: 400 });
  for (let i = 0; i < 12; i++) {
    log.append(Buffer.from(`${i}`.repeat(100).slice(0, 100)));
    log.flush();
  }
  await finish(log);
  const names = readdirSync(join(root, 'log'))
    .filter((name) => name.endsWith('.seg'))
    .sort();
  const [, second = '', third = ''] = names;
  const from = Number.parseInt(second.slice(0, 16), 16);
  const to = Number.parseInt(third.slice(0, 16), 16);
  writeFileSync(join(root, 'log', second), Buffer.alloc(500, 0x55));
  const items = readAll();
  const gaps = items.filter((item) => item.kind === 'gap');
  expect(gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0)).toBe(to - from);
  expect(output(items).length).toBe(1200 - (to - from));
  rmSync(join(root, 'log', second));
  expect(readAll().filter((item) => item.kind === 'gap')).toEqual([{ kind: 'gap', from, to, cause: 'damage' }]);
});

test('a child that prints record marks and whole records cannot pass them off after damage', async () => {
  const inner = openLog({ folder: join(root, 'inner') });
  inner.append(Buffer.from('forged'));
  await finish(inner);
  const forged = readFileSync(segmentPath(join(root, 'inner'), 0));
  const log = openLog();
  const print = (bytes: Uint8Array) => {
    log.append(bytes);
    log.flush();
  };
  print(Buffer.from('a'.repeat(5000)));
  print(forged);
  print(Buffer.from('z'));
  await finish(log);
  const path = segmentPath(join(root, 'log'), 0);
  const bytes = readFileSync(path);
  // Damage the record that carries the forgery: its records claim offsets of the past.
  bytes[bytes.indexOf(forged) - 3] = 0xff;
  writeFileSync(path, bytes);
  const items = readAll();
  expect(output(items)).toBe(`${'a'.repeat(5000)}z`);
  expect(items.filter((item) => item.kind === 'gap')).toEqual([
    { kind: 'gap', from: 5000, to: 5000 + forged.length, cause: 'damage' },
  ]);
});

test('drops whole segments only below the retention window and the checkpoint', async () => {
  const log = openLog({ segmentBytes: 1000, retainBytes: 3000 });
  const print = () => {
    log.append(Buffer.alloc(500, 0x61));
    log.flush();
  };
  for (let i = 0; i < 20; i++) print();
  expect(log.retainedFrom).toBe(0);
  log.retain(4000);
  expect(log.retainedFrom).toBeGreaterThan(2000);
  expect(log.retainedFrom).toBeLessThanOrEqual(4000);
  log.retain(10_000);
  expect(log.head - log.retainedFrom).toBeGreaterThanOrEqual(3000);
  expect(log.head - log.retainedFrom).toBeLessThanOrEqual(5000);
  const { retainedFrom } = log;
  await finish(log);
  const items = readAll();
  expect(items[0]).toEqual({ kind: 'gap', from: 0, to: retainedFrom, cause: 'retention' });
  expect(items[1]).toEqual({ kind: 'resize', offset: retainedFrom, columns: 80, rows: 24 });
  expect(output(items).length).toBe(10_000 - retainedFrom);
});

test('holds up the child at the cap until a checkpoint frees segments', async () => {
  const pressures: (string | null)[] = [];
  const log = openLog({
    segmentBytes: 1000,
    retainBytes: 100_000,
    capBytes: 8000,
    onPressure: (pressure) => pressures.push(pressure?.reason ?? null),
  });
  const print = () => {
    log.append(Buffer.alloc(500, 0x61));
    log.flush();
  };
  while (log.pressure === null) print();
  expect(pressures).toEqual(['cap']);
  expect(log.head).toBeGreaterThan(6000);
  log.retain(2500);
  expect(pressures).toEqual(['cap', null]);
  while (log.pressure === null) print();
  log.retain(log.head);
  expect(pressures).toEqual(['cap', null, 'cap', null]);
  await finish(log);
});

/** A disk that takes `room` more bytes and then fails, in the middle of a record if need be. */
class SmallDisk implements LogFiles {
  room: number;
  code = 'ENOSPC';
  failures = 0;

  constructor(room: number) {
    this.room = room;
  }

  readonly makeFolder = realLogFiles.makeFolder;
  readonly open = realLogFiles.open;
  readonly truncate = realLogFiles.truncate;
  readonly syncAndClose = quickFiles.syncAndClose;
  readonly close = realLogFiles.close;
  readonly remove = realLogFiles.remove;

  write(descriptor: number, buffers: readonly Uint8Array[], position: number): number {
    if (this.room === 0) {
      this.failures++;
      throw Object.assign(new Error('no space'), { code: this.code });
    }
    const bytes = Buffer.concat(buffers).subarray(0, this.room);
    this.room -= bytes.length;
    return writeSync(descriptor, bytes, 0, bytes.length, position);
  }

  writeLater(
    descriptor: number,
    buffers: readonly Uint8Array[],
    position: number,
    done: (error: Error | null, written: number) => void,
  ): void {
    setImmediate(() => {
      try {
        done(null, this.write(descriptor, buffers, position));
      } catch (error) {
        done(error as Error, 0);
      }
    });
  }
}

test('a disk that is full at every n-th byte costs no byte and doubles none', async () => {
  const text = Array.from({ length: 40 }, (_, i) => `row ${i};`).join('');
  const rooms = Array.from({ length: 54 }, (_, i) => 200 + 13 * i);
  const runs = rooms.map(async (room) => {
    const disk = new SmallDisk(room);
    const folder = join(root, `room-${room}`);
    const pressures: (string | null)[] = [];
    const settled = new Promise<void>((resolve) => {
      const log = openLog({
        folder,
        files: disk,
        segmentBytes: 300,
        onPressure: (pressure) => {
          pressures.push(pressure?.reason ?? null);
          if (pressure !== null) disk.room = 1e9;
        },
      });
      for (let at = 0; at < text.length; at += 7) {
        log.append(Buffer.from(text.slice(at, at + 7)));
        log.flush();
        if (at === 140) log.resize(33, 44);
      }
      log.finish({ code: 3, signal: null, at: 9 }, resolve);
    });
    await settled;
    const items = readAll(folder);
    expect(output(items)).toBe(text);
    expect(items.filter((item) => item.kind === 'gap')).toEqual([]);
    expect(items.at(-2)).toEqual({ kind: 'exit', offset: text.length, exit: { code: 3, signal: null, at: 9 } });
    expect(items.at(-1)).toEqual({ kind: 'end', head: text.length, tornBytes: 0 });
    expect(pressures).toEqual(disk.failures === 0 ? [] : ['disk-full', null]);
    return disk.failures;
  });
  expect((await Promise.all(runs)).filter((failures) => failures > 0).length).toBeGreaterThan(40);
});

test('large writes through the pool survive a full disk the same way', async () => {
  const disk = new SmallDisk(150_000);
  const pressures: (string | null)[] = [];
  const log = openLog({ files: disk, onPressure: (pressure) => pressures.push(pressure?.reason ?? null) });
  const bytes = Buffer.alloc(40_000);
  let printed = 0;
  while (!pressures.includes('disk-full')) {
    bytes.fill(printed % 251);
    log.append(new Uint8Array(bytes));
    printed++;
    await new Promise(setImmediate);
  }
  disk.room = 1e9;
  await finish(log);
  const text = Buffer.from(output(readAll()), 'latin1');
  expect(text.length).toBe(printed * 40_000);
  for (let i = 0; i < printed; i++) expect(text[i * 40_000 + 39_999]).toBe(i % 251);
  expect(pressures.filter((reason) => reason !== 'backlog')).toEqual(['disk-full', null]);
});

test('other failures are told as such, and a refused first write throws', () => {
  const disk = new SmallDisk(0);
  expect(() => openLog({ files: disk })).toThrow('no space');
  disk.room = 300;
  disk.code = 'EROFS';
  const pressures: unknown[] = [];
  const log = openLog({ files: disk, onPressure: (pressure) => pressures.push(pressure?.reason) });
  log.append(Buffer.alloc(500));
  log.flush();
  expect(pressures).toEqual(['log-error']);
  log[Symbol.dispose]();
});

test('a disk that is too slow holds up the child before memory fills', async () => {
  const pressures: (string | null)[] = [];
  const waiting: (() => void)[] = [];
  const slow: LogFiles = {
    ...realLogFiles,
    writeLater: (descriptor, buffers, position, done) =>
      void waiting.push(() => realLogFiles.writeLater(descriptor, buffers, position, done)),
  };
  const log = openLog({ files: slow, onPressure: (pressure) => pressures.push(pressure?.reason ?? null) });
  let bytes = 0;
  while (pressures.length === 0) {
    log.append(Buffer.alloc(32_768));
    bytes += 32_768;
  }
  expect(pressures).toEqual(['backlog']);
  expect(bytes).toBeLessThan(450_000);
  const settled = finish(log);
  const pump = setInterval(() => waiting.shift()?.(), 1);
  await settled;
  clearInterval(pump);
  expect(pressures).toEqual(['backlog', null]);
  expect(output(readAll()).length).toBe(bytes);
});

test('leaves no descriptor open', async () => {
  const before = openDescriptors();
  const log = openLog({ segmentBytes: 1000 });
  for (let i = 0; i < 30; i++) {
    log.append(Buffer.alloc(300));
    log.flush();
  }
  for (const _ of readLog(join(root, 'log'))) break;
  await finish(log);
  expect(openDescriptors()).toBe(before);
});

/** The lowest free descriptor rises with each one that stays open. */
function openDescriptors(): number {
  const descriptor = openSync('/dev/null', 'r');
  closeSync(descriptor);
  return descriptor;
}
