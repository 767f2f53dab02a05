import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/base/index.ts';
import { HolderPool } from '../../../src/terminal/holder-pool.ts';
import { type HolderConnection, readLog, summarizeLog } from '../../../src/terminal/index.ts';
import {
  clock,
  eventually,
  Folder,
  isThere,
  openHolder,
  program,
  Reader,
  random,
  sha256,
  shell,
  startOf,
} from './support.ts';

/** Real children in a real holder process, shared by the tests below. */
let folder: Folder;
let pool: HolderPool;
let connection: HolderConnection;
let sessions = 0;

beforeAll(async () => {
  folder = new Folder();
  const opened = await HolderPool.open({
    registryDir: folder.at('registry'),
    runDir: folder.at('run'),
    stateDir: folder.at('state'),
    version: '0.0.0',
    epoch: 1,
    sessionsMax: 256,
    program,
    clock,
    random,
    log: silentLog,
    limits: { segmentBytes: 512 * 1024 },
  });
  pool = opened.pool;
  expect(opened.found).toEqual({ alive: [], lost: [], silent: [], removed: [] });
  await start({ argv: ['true'] });
  connection = pool.holders[0]?.connection as HolderConnection;
});

afterAll(async () => {
  const holder = pool.holders[0]?.pid ?? 0;
  pool[Symbol.dispose]();
  process.kill(holder, 'SIGTERM');
  await eventually(() => !isThere(holder), 'the holder to end');
  folder[Symbol.dispose]();
});

async function start(
  options: Parameters<typeof startOf>[1],
): Promise<{ channel: number; pid: number; logDir: string }> {
  const request = startOf(folder, { session: `s_${++sessions}`, ...options });
  const placed = await pool.start(request);
  if (!placed.ok) throw new Error(placed.message);
  return { channel: placed.value.channel.channel, pid: placed.value.channel.pid ?? 0, logDir: request.logDir };
}

/** A program that writes a file to a raw terminal, so that every byte arrives as it is. */
const printRaw = (path: string) => shell(`stty raw -opost -echo; exec cat "${path}"`);

function logHash(logDir: string): string {
  const hash = createHash('sha256');
  for (const item of readLog(logDir)) if (item.kind === 'data') hash.update(item.bytes);
  return hash.digest('hex');
}

describe('output', () => {
  test.each([
    ['a line of 10 MB', () => Buffer.alloc(10_000_000, 'the line that never ends ')],
    ['binary garbage', () => randomBytes(2_000_000)],
  ])('%s arrives and is logged to the byte', async (_name, make) => {
    const bytes = make();
    const path = folder.at('input');
    writeFileSync(path, bytes);
    const { channel, logDir } = await start(printRaw(path));
    const reader = await new Reader(connection, channel).ended();
    expect([reader.problem, reader.gaps, reader.offset, reader.exitOffset]).toEqual([
      null,
      [],
      bytes.length,
      bytes.length,
    ]);
    expect(reader.hash.digest('hex')).toBe(sha256(bytes));
    await eventually(() => summarizeLog(logDir).exit !== null, 'the exit record');
    expect(logHash(logDir)).toBe(sha256(bytes));
  });

  test('a reader cut off again and again resumes by offset without losing or doubling a byte', async () => {
    const bytes = randomBytes(4_000_000);
    writeFileSync(folder.at('input'), bytes);
    const { channel } = await start({ ...printRaw(folder.at('input')) });
    const { socketPath } = pool.holders[0] ?? { socketPath: '' };
    const { HolderConnection: Connection } = await import('../../../src/terminal/index.ts');
    const got: Uint8Array[] = [];
    let offset = 0;
    let cuts = 0;
    for (let isOver = false; !isOver; cuts++) {
      const own = await Connection.open({ socketPath, role: 'screen', epoch: 1, clock });
      const until = offset + 50_000 + Math.floor(Math.random() * 200_000);
      await new Promise<void>((resolve) => {
        const subscription = own.subscribe(
          channel,
          { from: offset, credit: 150_000, coalesceMs: 4 },
          {
            data(at, chunk) {
              expect(at).toBe(offset);
              got.push(new Uint8Array(chunk));
              offset += chunk.length;
              subscription.credit(chunk.length);
              if (offset >= until) resolve();
            },
            resized() {},
            gap: (from, to) => expect.unreachable(`gap ${from}-${to}`),
            exited() {
              isOver = true;
              resolve();
            },
          },
        );
      });
      own[Symbol.dispose]();
    }
    expect(cuts).toBeGreaterThan(10);
    expect(sha256(Buffer.concat(got))).toBe(sha256(bytes));
  });

  test('a storm of 1,000 sizes while it prints costs nothing and ends at the last', async () => {
    const script = 'trap "stty size" WINCH; echo ready; while :; do read -r line; [ "$line" = end ] && exit 9; done';
    const { channel } = await start(shell(script));
    const reader = await new Reader(connection, channel).until(({ text }) => text.includes('ready'));
    for (let i = 1; i <= 1000; i++) connection.resize(channel, 50 + (i % 100), 20 + (i % 30));
    connection.resize(channel, 133, 44);
    await reader.until(({ text }) => text.includes('44 133'));
    expect(reader.sizes.at(-1)).toMatchObject({ columns: 133, rows: 44 });
    connection.input(channel, Buffer.from('end\n'));
    await reader.ended();
    expect([reader.problem, reader.exit?.code]).toEqual([null, 9]);
    expect((await connection.list()).channels.find((one) => one.channel === channel)).toMatchObject({
      columns: 133,
      rows: 44,
    });
  });

  test('input of a megabyte reaches a program that reads it', async () => {
    const { channel } = await start(shell('stty raw -echo; printf ready; head -c 700000 | sha256sum'));
    const bytes = randomBytes(700_000);
    const reader = await new Reader(connection, channel).until(({ text }) => text === 'ready');
    connection.input(channel, bytes);
    await reader.ended();
    expect(reader.text).toContain(sha256(bytes));
  });
});

describe('programs that end or never start', () => {
  test.each([
    ['at once', { argv: ['true'] }, { code: 0, signal: null }],
    ['with a code', shell('exit 77'), { code: 77, signal: null }],
    ['by a signal', shell('kill -SEGV $$'), { code: null, signal: 'SIGSEGV' }],
    ['binary missing', { argv: ['no-such-agent'] }, { code: null, error: 'binary-missing' }],
    ['not executable', { argv: ['/proc/self/status'] }, { code: null, error: 'not-executable' }],
    ['folder missing', { argv: ['true'], cwd: '/no/such/folder' }, { code: null, error: 'cwd-missing' }],
  ])('%s: an exit is told and kept', async (_name, how, exit) => {
    for (const io of ['pty', 'pipes'] as const) {
      const { channel, logDir } = await start({ ...how, io });
      const reader = await new Reader(connection, channel).ended();
      expect(reader.exit).toMatchObject(exit);
      await eventually(() => summarizeLog(logDir).exit !== null, 'the exit record');
      expect(summarizeLog(logDir).exit).toEqual(reader.exit);
      expect(await connection.close(channel)).toMatchObject({ ok: true });
    }
  });

  test('what a program leaves in its group is hung up when it ends', async () => {
    for (const io of ['pty', 'pipes'] as const) {
      const { channel } = await start({ ...shell('sleep 60 & echo "left $!."'), io });
      const reader = await new Reader(connection, channel).ended();
      const left = Number(/left (\d+)\./.exec(reader.text)?.[1]);
      await eventually(() => !isThere(left), 'the rest of the group to end');
    }
  });
});

describe('bounds', () => {
  test('at its cap the child waits, that is told, and a checkpoint lets it go on', async () => {
    const bytes = Buffer.alloc(3_000_000, '0123456789abcdef');
    writeFileSync(folder.at('input'), bytes);
    const pauses: (string | null)[] = [];
    const { channel } = await start({ ...printRaw(folder.at('input')), capBytes: 1_000_000, retainBytes: 100_000 });
    using listening = connection.onPaused((told) => {
      if (told.channel === channel) pauses.push(told.pause?.reason ?? null);
    });
    const reader = new Reader(connection, channel);
    await eventually(() => pauses.length === 1, 'the pause');
    const held = (await connection.list()).channels.find((one) => one.channel === channel);
    expect(held).toMatchObject({ paused: 'cap', exit: null });
    expect(held?.head).toBeLessThan(1_200_000);
    while (reader.exit === null) {
      const { offset } = reader;
      connection.retain(channel, offset);
      await reader.until((one) => one.exit !== null || one.offset > offset);
    }
    expect(pauses.slice(0, 2)).toEqual(['cap', null]);
    expect(reader.hash.digest('hex')).toBe(sha256(bytes));
    expect(listening).toBeDefined();
  });

  const small = new Folder();
  const canMount = (() => {
    try {
      mkdirSync(small.at('disk'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small.at('disk')], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();
  afterAll(() => {
    if (canMount) execFileSync('umount', ['--lazy', small.at('disk')]);
    small[Symbol.dispose]();
  });

  test.skipIf(!canMount)(
    'on a full disk (tmpfs of 1 MiB; skipped where one may not mount) nothing is lost',
    async () => {
      const bytes = randomBytes(900_000);
      writeFileSync(folder.at('input'), bytes);
      writeFileSync(small.at('disk', 'ballast'), Buffer.alloc(500_000));
      const pauses: (string | null)[] = [];
      const { channel, logDir } = await start({ ...printRaw(folder.at('input')), logDir: small.at('disk', 'log') });
      using listening = connection.onPaused((told) => {
        if (told.channel === channel) pauses.push(told.pause?.reason ?? null);
      });
      const reader = new Reader(connection, channel);
      await eventually(() => pauses.length === 1, 'the pause');
      const refused = await pool.start(startOf(folder, { session: 's_no_room', logDir: small.at('disk', 'other') }));
      expect(refused).toMatchObject({ ok: false, code: 'disk/full' });
      const neighbour = await start(shell('echo fine'));
      await new Reader(connection, neighbour.channel).ended();
      expect(reader.exit).toBe(null);
      rmSync(small.at('disk', 'ballast'));
      await reader.ended();
      expect(pauses).toEqual(['disk-full', null]);
      expect(reader.hash.digest('hex')).toBe(sha256(bytes));
      await eventually(() => summarizeLog(logDir).exit !== null, 'the exit record');
      expect(logHash(logDir)).toBe(sha256(bytes));
      expect(listening).toBeDefined();
    },
  );
});

describe('200 sessions', () => {
  test('leak no descriptor into each other, on PTYs or pipes, nor into the guard', async () => {
    const pids: number[] = [];
    const ended: number[] = [];
    for (let i = 0; i < 210; i++) {
      const how = {
        session: `s_many_${i}`,
        argv: ['sleep', '300'],
        io: i % 8 === 7 ? ('pipes' as const) : ('pty' as const),
      };
      const reply = await connection.start(startOf(folder, how));
      if (!reply.ok) throw new Error(reply.message);
      const { channel, pid } = reply.value;
      if (i % 20 !== 10) pids.push(pid ?? 0);
      if (i % 20 === 10) ended.push(channel);
      // Ended ones leave free numbers below the terminals of the others.
      if (i % 20 === 19) await end(ended.pop() ?? 0);
    }
    await eventually(() => pids.every((pid) => commandOf(pid).startsWith('sleep')), 'all programs to run');
    const holder = pool.holders[0]?.pid ?? 0;
    const guards = childrenOf(holder).filter((pid) => commandOf(pid).includes('orphan-guard'));
    expect(guards.length).toBe(1);
    const foreign = [...pids, ...guards].flatMap((pid) =>
      descriptorsOf(pid).filter(({ number, target }) => number > 2 && target !== '/dev/null'),
    );
    expect(foreign).toEqual([]);
    const living = (await connection.list()).channels.filter((one) => one.exit === null);
    expect(living.length).toBe(200);
    const ends = await Promise.all(living.map(({ channel }) => end(channel)));
    expect(new Set(ends)).toEqual(new Set(['SIGKILL']));
  });
});

async function end(channel: number): Promise<string | null | undefined> {
  await connection.signal(channel, 'SIGKILL', 'group');
  return (await new Reader(connection, channel).ended()).exit?.signal;
}

function descriptorsOf(pid: number): { number: number; target: string }[] {
  return readdirSync(`/proc/${pid}/fd`).map((name) => ({
    number: Number(name),
    target: readlinkSync(`/proc/${pid}/fd/${name}`),
  }));
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
}

test('a holder in this very process leaves nothing behind', async () => {
  using local = await openHolder();
  const daemon = await local.connect();
  const reply = await daemon.start(startOf(local.folder, { argv: ['cat'] }));
  expect(reply.ok).toBe(true);
  if (!reply.ok) return;
  daemon.input(reply.value.channel, Buffer.from('\x04'));
  const { exit } = await new Reader(daemon, reply.value.channel).ended();
  expect(exit).toMatchObject({ code: 0, signal: null });
});
