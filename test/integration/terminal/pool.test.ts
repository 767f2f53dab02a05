import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/base/index.ts';
import { FrameType, type HolderRefused } from '../../../src/protocol/index.ts';
import { signalProcess } from '../../../src/terminal/holder/signal-process.ts';
import { writeRegistration } from '../../../src/terminal/holder-registry.ts';
import {
  checkSocketPath,
  type FoundHolders,
  HolderPool,
  type HolderPoolOptions,
  type LostHolder,
  type PlacedChannel,
  type PooledHolder,
  readLog,
  readRegistrations,
  reapOrphans,
  summarizeLog,
} from '../../../src/terminal/index.ts';
import { startTimeOf } from '../../../src/terminal/process-identity.ts';
import {
  clock,
  eventually,
  Folder,
  fileExists,
  isThere,
  program,
  RawClient,
  Reader,
  random,
  shell,
  startOf,
} from './support.ts';

let folder: Folder;
const pools: HolderPool[] = [];
const processes: number[] = [];

beforeEach(() => {
  folder = new Folder();
});

afterEach(async () => {
  for (const pool of pools.splice(0)) pool[Symbol.dispose]();
  const { registrations } = readRegistrations(folder.at('registry'));
  const left = [
    ...processes.splice(0),
    ...registrations.flatMap((one) => [one.pid, ...one.children.map((child) => child.pid)]),
  ];
  for (const pid of left) signalProcess(pid, 'SIGKILL');
  await eventually(() => left.every((pid) => !isThere(pid)), 'everything to be gone');
  folder[Symbol.dispose]();
});

async function openPool(options: Partial<HolderPoolOptions> = {}): Promise<{ pool: HolderPool; found: FoundHolders }> {
  const opened = await HolderPool.open({
    registryDir: folder.at('registry'),
    runDir: folder.at('run'),
    stateDir: folder.at('state'),
    version: '0.0.0',
    epoch: 1,
    sessionsMax: 16,
    program,
    clock,
    random,
    log: silentLog,
    ...options,
  });
  pools.push(opened.pool);
  return opened;
}

async function startOn(pool: HolderPool, start: Parameters<typeof startOf>[1]): Promise<PlacedChannel> {
  const placed = await pool.start(startOf(folder, start));
  if (!placed.ok) throw new Error(placed.message);
  if (placed.value.channel.pid !== null) processes.push(placed.value.channel.pid);
  return placed.value;
}

describe('finding and spreading', () => {
  test('fills holders one after the other, keeps sidecars with their session, and finds all of it again', async () => {
    const { pool } = await openPool({ sessionsMax: 2 });
    const placed = await Promise.all(['s_1', 's_2', 's_3'].map((session) => startOn(pool, { session, argv: ['cat'] })));
    expect(new Set(placed.map(({ holder }) => holder.id)).size).toBe(2);
    const sidecar = await startOn(pool, { session: 's_1', name: 'server', io: 'pipes', argv: ['cat'] });
    expect(sidecar.holder.id).toBe(placed[0]?.holder.id);
    pool[Symbol.dispose]();

    const { pool: next, found } = await openPool({ sessionsMax: 2, epoch: 2 });
    expect([found.lost, found.silent, found.removed]).toEqual([[], [], []]);
    expect(found.alive.map((holder) => holder.pid).sort()).toEqual(
      [...new Set(placed.map(({ holder }) => holder.pid))].sort(),
    );
    const again = await next.start(startOf(folder, { session: 's_3', argv: ['cat'] }));
    expect(again).toMatchObject({ ok: true, value: { channel: { pid: placed[2]?.channel.pid, incarnation: 1 } } });
    const fourth = await startOn(next, { session: 's_4', argv: ['cat'] });
    expect(fourth.holder.pid).toBe(placed[2]?.holder.pid);
    expect(next.holders.length).toBe(2);
  });

  test('only drains holders of another version: their sessions go on, new ones start elsewhere', async () => {
    const { pool: old } = await openPool({ version: '0.0.0' });
    const kept = await startOn(old, { session: 's_old', ...shell('echo old; cat') });
    old[Symbol.dispose]();
    const { pool, found } = await openPool({ version: '0.0.1', epoch: 2 });
    expect(found.alive).toMatchObject([{ id: kept.holder.id, version: '0.0.0', isDraining: true }]);
    const fresh = await startOn(pool, { session: 's_new', argv: ['cat'] });
    expect(fresh.holder).toMatchObject({ version: '0.0.1', isDraining: false });
    expect(fresh.holder.id).not.toBe(kept.holder.id);
    const sidecar = await startOn(pool, { session: 's_old', name: 'late', argv: ['cat'] });
    expect(sidecar.holder.id).toBe(kept.holder.id);
    const oldConnection = pool.holders.find((holder) => holder.id === kept.holder.id)?.connection;
    if (oldConnection == null) throw new Error('not connected');
    const reader = new Reader(oldConnection, kept.channel.channel);
    oldConnection.input(kept.channel.channel, Buffer.from('typed by the new one\n'));
    await reader.until(({ text }) => text.includes('typed by the new one'));
    expect(reader.text.startsWith('old\r\n')).toBe(true);
  });

  test('clears away what dead holders left: registrations, sockets, files that are none', async () => {
    mkdirSync(folder.at('registry'));
    mkdirSync(folder.at('run'));
    const gone = {
      ...{
        holder: 'h_gone',
        pid: 999_999_999,
        startTime: 1,
        protocol: 1,
        version: '0.0.0',
        sessionsMax: 16,
        startedAt: 0,
      },
      socket: folder.at('run', 'h_gone.sock'),
      children: [],
    };
    // This process lives, but is not the one that registered: its number was given away.
    const reused = {
      ...gone,
      holder: 'h_reused',
      pid: process.pid,
      startTime: 1,
      socket: folder.at('run', 'h_reused.sock'),
    };
    writeRegistration(folder.at('registry'), gone);
    writeRegistration(folder.at('registry'), reused);
    writeFileSync(folder.at('registry', 'h_half.json'), '{"holder":"h_half","pid":');
    writeFileSync(folder.at('registry', 'h_other.json'), JSON.stringify({ ...gone, holder: 'h_elsewhere' }));
    const dead = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(folder.at('run', 'h_dead.sock'))},()=>process.kill(process.pid,'SIGKILL'))`,
    ]);
    await once(dead, 'exit');
    expect(readdirSync(folder.at('run'))).toEqual(['h_dead.sock']);
    const { found } = await openPool();
    expect(found.alive).toEqual([]);
    expect(found.lost.map(({ id, children }) => ({ id, children }))).toEqual([
      { id: 'h_gone', children: [] },
      { id: 'h_reused', children: [] },
    ]);
    expect([...found.removed].sort()).toEqual([
      folder.at('registry', 'h_half.json'),
      folder.at('registry', 'h_other.json'),
      folder.at('run', 'h_dead.sock'),
    ]);
    expect([readdirSync(folder.at('registry')), readdirSync(folder.at('run'))]).toEqual([[], []]);
  });

  test('a holder that lives but does not answer is silent, and back once it does', async () => {
    const { pool } = await openPool();
    const { holder } = await startOn(pool, { argv: ['cat'] });
    pool[Symbol.dispose]();
    process.kill(holder.pid, 'SIGSTOP');
    try {
      const { pool: next, found } = await openPool({ epoch: 2 });
      expect(found.alive).toEqual([]);
      expect(found.silent).toMatchObject([{ id: holder.id, connection: null }]);
      const silent = new Promise<PooledHolder>((resolve) => void next.onSilent(resolve));
      const back = new Promise<PooledHolder>((resolve) => void next.onBack(resolve));
      expect((await silent).id).toBe(holder.id);
      process.kill(holder.pid, 'SIGCONT');
      expect((await back).connection).not.toBe(null);
    } finally {
      process.kill(holder.pid, 'SIGCONT');
    }
  });

  test('a daemon that was replaced is told', async () => {
    const { pool } = await openPool();
    await startOn(pool, { argv: ['cat'] });
    const fenced = new Promise<HolderRefused>((resolve) => void pool.onFenced(resolve));
    await openPool({ epoch: 9 });
    expect(await fenced).toMatchObject({ code: 'stale-epoch', epoch: 9 });
  });

  test('says why a holder cannot be started', async () => {
    const { pool } = await openPool({ program: { nodePath: '/no/such/node', entry: 'x' } });
    expect(await pool.start(startOf(folder))).toMatchObject({
      ok: false,
      code: 'holder/unreachable',
      message: /ENOENT/,
    });
    const broken = folder.at('broken.mjs');
    writeFileSync(broken, 'console.error("broken build"); process.exit(3)');
    const { pool: other } = await openPool({ program: { ...program, entry: broken } });
    expect(await other.start(startOf(folder))).toMatchObject({ ok: false, message: /broken build/ });
    const { pool: long } = await openPool({ runDir: folder.at('r'.repeat(100)) });
    expect(await long.start(startOf(folder))).toMatchObject({ ok: false, code: 'home/socket-path-too-long' });
  });

  test('starts a holder behind the words it is given, as systemd-run would be', async () => {
    const { pool } = await openPool({
      program: { ...program, prefix: (holder) => ['/usr/bin/env', `WRAPPED=${holder}`] },
    });
    const { holder } = await startOn(pool, { argv: ['cat'] });
    expect(readFileSync(`/proc/${holder.pid}/environ`, 'latin1')).toContain(`WRAPPED=${holder.id}`);
  });
});

test('a socket path is refused from 108 bytes on', () => {
  expect(checkSocketPath(`/${'x'.repeat(106)}`)).toMatchObject({ ok: true });
  expect(checkSocketPath(`/${'x'.repeat(107)}`)).toMatchObject({ ok: false, code: 'home/socket-path-too-long' });
  expect(checkSocketPath(`/${'ü'.repeat(54)}`)).toMatchObject({ ok: false });
});

describe('a daemon killed while sessions print', () => {
  const lines = 30_000;
  const script = `stty raw -opost; i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i of a session that goes on"; done; exec cat`;
  const expected = createHash('sha256');
  let expectedBytes = 0;
  for (let i = 1; i <= lines; i++) {
    const line = `line ${i} of a session that goes on\n`;
    expected.update(line);
    expectedBytes += line.length;
  }
  const expectedHash = expected.digest('hex');

  test('costs no session and no byte: the next one reads on', async () => {
    const sessions = ['s_a', 's_b'].map((session) => ({ session, script }));
    const readers = sessions.map(() => ({ offset: 0, hash: createHash('sha256') }));
    const kills = 3;
    for (let kill = 0; kill < kills; kill++) {
      const daemon = spawnDaemon({ root: folder.path, epoch: 2 * kill + 1, sessions: kill === 0 ? sessions : [] });
      await once(daemon.stdout as NodeJS.ReadableStream, 'data');
      daemon.kill('SIGKILL');
      await once(daemon, 'exit');

      const { pool, found } = await openPool({ epoch: 2 * kill + 2 });
      expect(found).toMatchObject({ alive: [{}], lost: [], silent: [] });
      const connection = found.alive[0]?.connection;
      if (connection == null) throw new Error('not connected');
      const { channels } = await connection.list();
      expect(channels.map(({ session, exit }) => ({ session, exit }))).toEqual(
        sessions.map(({ session }) => ({ session, exit: null })),
      );
      for (const { pid } of channels) processes.push(pid ?? 0);
      const until = kill === kills - 1 ? expectedBytes : (expectedBytes * (kill + 1)) / (kills + 1);
      await Promise.all(
        channels.map(async ({ channel }, i) => {
          const known = readers[i];
          if (known === undefined) throw new Error('an unknown channel');
          using reader = new Reader(connection, channel, { from: known.offset, hash: known.hash });
          await reader.until(({ offset }) => offset >= until);
          expect([reader.problem, reader.gaps, reader.exit]).toEqual([null, [], null]);
          known.offset = reader.offset;
        }),
      );
      pool[Symbol.dispose]();
    }
    expect(readers.map(({ hash, offset }) => [hash.digest('hex'), offset])).toEqual([
      [expectedHash, expectedBytes],
      [expectedHash, expectedBytes],
    ]);
  });
});

function spawnDaemon(orders: object): ChildProcess {
  const entry = new URL('./daemon-stand-in.ts', import.meta.url).pathname;
  return spawn(process.execPath, [entry, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('a holder killed', () => {
  test('is told within 2 s with what it had, leaves readable logs and no orphans', async () => {
    const { pool } = await openPool();
    const stubborn = 'trap "" HUP TERM INT; echo here; while :; do sleep 0.1; done';
    const onTerminal = await startOn(pool, { session: 's_pty', ...shell(stubborn) });
    const onPipes = await startOn(pool, { session: 's_pipes', io: 'pipes', ...shell(stubborn) });
    const plain = await startOn(pool, { session: 's_plain', ...shell('printf "some output"; exec cat') });
    for (const { connection, channel } of [onTerminal, onPipes, plain]) {
      await new Reader(connection, channel.channel).until(({ offset }) => offset > 0);
    }
    const logDir = folder.at('logs/s_plain/main');
    await eventually(() => summarizeLog(logDir).head > 0, 'the output to be on disk');
    const lost = new Promise<LostHolder>((resolve) => void pool.onLost(resolve));
    const killedAt = performance.now();
    process.kill(onTerminal.holder.pid, 'SIGKILL');
    const { children, reaped, id } = await lost;
    expect(performance.now() - killedAt).toBeLessThan(2000);
    expect(id).toBe(onTerminal.holder.id);
    expect(children.map(({ session, pid }) => ({ session, pid })).sort((a, b) => a.pid - b.pid)).toEqual(
      [onTerminal, onPipes, plain].map(({ channel }) => ({ session: channel.session, pid: channel.pid })),
    );
    expect((await reaped).map(({ result }) => result).every((result) => result !== 'unverified')).toBe(true);
    const pids = [onTerminal, onPipes, plain].map(({ channel }) => channel.pid ?? 0);
    await eventually(() => pids.every((pid) => !isThere(pid)), 'the children to be gone', 4000);
    expect(pool.holders).toEqual([]);
    expect(fileExists(onTerminal.holder.socketPath)).toBe(false);
    expect(readRegistrations(folder.at('registry')).registrations).toEqual([]);
    let text = '';
    for (const item of readLog(logDir)) if (item.kind === 'data') text += Buffer.from(item.bytes).toString();
    expect(text).toBe('some output');
    expect(summarizeLog(logDir).exit).toBe(null);

    const next = await startOn(pool, { session: 's_plain', incarnation: 2, ...shell('printf " and more"; exec cat') });
    const reader = await new Reader(next.connection, next.channel.channel).until(({ offset }) => offset === 20);
    expect(reader.text).toBe('some output and more');
  });

  test('with no daemon there leaves no orphans either', async () => {
    const { pool } = await openPool();
    const stubborn = 'trap "" HUP TERM INT; echo here; while :; do sleep 0.1; done';
    const one = await startOn(pool, { session: 's_1', io: 'pipes', ...shell(stubborn) });
    const two = await startOn(pool, { session: 's_2', ...shell(stubborn) });
    const ended = await startOn(pool, { session: 's_3', io: 'pipes', argv: ['true'] });
    for (const { connection, channel } of [one, two]) {
      await new Reader(connection, channel.channel).until(({ offset }) => offset > 0);
    }
    await new Reader(ended.connection, ended.channel.channel).ended();
    pool[Symbol.dispose]();
    process.kill(one.holder.pid, 'SIGKILL');
    const pids = [one, two].map(({ channel }) => channel.pid ?? 0);
    await eventually(() => pids.every((pid) => !isThere(pid)), 'the guard to end them', 5000);
    const { found } = await openPool({ epoch: 2 });
    expect(found.lost.map(({ id, children }) => [id, children.length])).toEqual([[one.holder.id, 2]]);
  });

  test('by the shutdown of the machine ends its children, says how, and leaves in order', async () => {
    const { pool } = await openPool();
    const { holder, connection, channel } = await startOn(pool, {
      ...shell('trap "echo bye; exit 5" HUP; echo hi; while :; do sleep 0.02; done'),
    });
    await new Reader(connection, channel.channel).until(({ offset }) => offset > 0);
    process.kill(holder.pid, 'SIGHUP');
    process.kill(holder.pid, 'SIGINT');
    expect((await connection.list()).channels[0]?.exit).toBe(null);
    process.kill(holder.pid, 'SIGTERM');
    await eventually(() => !isThere(holder.pid), 'the holder to leave');
    expect(summarizeLog(folder.at('logs/s_one/main'))).toMatchObject({ exit: { code: 5, signal: null } });
    expect(readRegistrations(folder.at('registry')).registrations).toEqual([]);
  });
});

test('reaping ends the very process that was recorded, and never a stranger', async () => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  const pid = child.pid ?? 0;
  processes.push(pid);
  const recorded = { pid, startTime: startTimeOf(pid), session: 's_x', incarnation: 1, name: 'main', logDir: '/' };
  const stranger = { ...recorded, startTime: (recorded.startTime ?? 0) - 1 };
  const unknown = { ...recorded, startTime: null };
  expect((await reapOrphans([stranger, unknown], clock)).map(({ result }) => result)).toEqual(['gone', 'unverified']);
  expect(isThere(pid)).toBe(true);
  expect((await reapOrphans([recorded], clock)).map(({ result }) => result)).toEqual(['ended']);
  expect(isThere(pid)).toBe(false);
});

test('a holder that breaks its protocol, or hangs, is an error within a bounded time', async () => {
  const { HolderConnection } = await import('../../../src/terminal/index.ts');
  mkdirSync(folder.at('run'));
  const socketPath = folder.at('run', 'odd.sock');
  const answers = [Buffer.alloc(64, 0xff), Buffer.alloc(0)];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(answers.shift() ?? Buffer.alloc(0));
  }).listen(socketPath);
  await once(server, 'listening');
  const how = { socketPath, role: 'daemon', epoch: 1, clock, timeoutMs: 200 } as const;
  await expect(HolderConnection.open(how)).rejects.toMatchObject({ code: 'closed' });
  await expect(HolderConnection.open(how)).rejects.toMatchObject({ code: 'timeout' });
  await expect(HolderConnection.open({ ...how, socketPath: folder.at('none') })).rejects.toMatchObject({
    code: 'unreachable',
  });
  server.close();
});

test('a daemon of protocol 1 is served whatever came before it on the socket', async () => {
  const { pool } = await openPool();
  const { holder } = await startOn(pool, { argv: ['cat'] });
  using client = await RawClient.open(holder.socketPath);
  client.hello('daemon', 1);
  await client.until(({ frames }) => frames.length > 0);
  expect(client.frames[0]).toMatchObject({ type: FrameType.welcome, json: { protocol: 1, holder: holder.id } });
});
