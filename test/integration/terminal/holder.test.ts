import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeFrame, encodeJson, FrameType, type HolderRefused } from '../../../src/protocol/index.ts';
import {
  type FakeChild,
  HolderError,
  readLog,
  readRegistrations,
  startFakeChild,
} from '../../../src/terminal/index.ts';
import { eventually, type LocalHolder, openHolder, RawClient, Reader, startOf } from './support.ts';

const children: FakeChild[] = [];
let local: LocalHolder;

/** The newest fake, once the holder has it. */
async function child(): Promise<FakeChild> {
  await eventually(() => children.length > 0, 'a child');
  return children.at(-1) as FakeChild;
}

beforeEach(async () => {
  children.length = 0;
  local = await openHolder({ startChild: startFakeChild((started) => void children.push(started)) });
});

afterEach(() => local[Symbol.dispose]());

async function startOne(start: Parameters<typeof startOf>[1] = {}) {
  const daemon = await local.connect();
  const reply = await daemon.start(startOf(local.folder, start));
  if (!reply.ok) throw new Error(reply.message);
  return { daemon, channel: reply.value.channel, fake: await child() };
}

const ticket = (n: number) => n.toString(16).padStart(32, '0');

describe('starting', () => {
  test('describes what it started, and lists it', async () => {
    const { daemon, channel } = await startOne();
    const { channels, ...about } = await daemon.list();
    expect(about).toEqual({ holder: 'h_test', pid: process.pid, version: '0.0.0', epoch: 1, sessionsMax: 16 });
    expect(channels).toEqual([
      {
        channel,
        session: 's_one',
        incarnation: 1,
        name: 'main',
        pid: expect.any(Number),
        columns: 80,
        rows: 24,
        retainedFrom: 0,
        head: 0,
        startedFrom: 0,
        answeredTo: 0,
        exit: null,
        paused: null,
        startedAt: expect.any(Number),
      },
    ]);
  });

  test('starts nothing twice, and hands the running one to whoever asks again', async () => {
    const { daemon, channel, fake } = await startOne();
    const again = await daemon.start(startOf(local.folder));
    expect(again).toMatchObject({ ok: false, code: 'duplicate', channel: { channel, exit: null } });
    const next = await daemon.start(startOf(local.folder, { incarnation: 2 }));
    expect(next).toMatchObject({ ok: false, code: 'still-live' });
    expect(children.length).toBe(1);

    fake.exit({ code: 0, signal: null });
    await eventually(() => readdirSync(local.folder.at('logs/s_one/main')).length === 1, 'the writer to let go');
    expect(await daemon.close(channel)).toMatchObject({ ok: true });
    const afterClose = await daemon.start(startOf(local.folder));
    expect(afterClose).toMatchObject({ ok: false, code: 'duplicate' });
    expect(children.length).toBe(1);

    const second = await daemon.start(startOf(local.folder, { incarnation: 2 }));
    expect(second).toMatchObject({ ok: true, value: { incarnation: 2 } });
  });

  test('a second incarnation goes on in the same log, and old queries are not answered any more', async () => {
    const { daemon, channel, fake } = await startOne();
    fake.print('first\x1b[c');
    fake.exit({ code: 0, signal: null });
    await new Reader(daemon, channel).ended();
    const next = await daemon.start(startOf(local.folder, { incarnation: 2, columns: 100 }));
    expect(next).toMatchObject({ ok: true, value: { startedFrom: 8, head: 8, answeredTo: 8, retainedFrom: 0 } });
    if (!next.ok) return;
    await eventually(() => children.length === 2, 'the second child');
    const typed: string[] = [];
    const second = children[1] as FakeChild;
    second.onInput = (bytes) => typed.push(Buffer.from(bytes).toString());
    daemon.answer(next.value.channel, 8, Buffer.from('late'));
    second.print('second');
    const reader = await new Reader(daemon, next.value.channel).until(({ offset }) => offset === 14);
    expect(reader).toMatchObject({ text: 'first\x1b[csecond', problem: null, gaps: [], exit: null });
    expect(reader.sizes).toEqual([
      { offset: 0, columns: 80, rows: 24 },
      { offset: 8, columns: 100, rows: 24 },
    ]);
    expect(typed).toEqual([]);
  });

  test('keeps sidecars beside their session, and counts sessions only', async () => {
    const daemon = await local.connect();
    for (let i = 0; i < 16; i++) {
      expect(await daemon.start(startOf(local.folder, { session: `s_${i}` }))).toMatchObject({ ok: true });
    }
    expect(await daemon.start(startOf(local.folder, { session: 's_more' }))).toMatchObject({ ok: false, code: 'full' });
    const sidecar = startOf(local.folder, { session: 's_3', name: 'server', io: 'pipes' });
    expect(await daemon.start(sidecar)).toMatchObject({ ok: true, value: { name: 'server' } });
  });

  test('refuses a log folder it cannot write, and one that belongs to someone else', async () => {
    const daemon = await local.connect();
    writeFileSync(local.folder.at('file'), '');
    const noFolder = await daemon.start(startOf(local.folder, { logDir: local.folder.at('file', 'log') }));
    expect(noFolder).toMatchObject({ ok: false, code: 'disk-error' });
    await daemon.start(startOf(local.folder));
    const { logDir } = startOf(local.folder);
    const stolen = await daemon.start(startOf(local.folder, { session: 's_two', logDir }));
    expect(stolen).toMatchObject({ ok: false, code: 'duplicate' });
    expect(children.length).toBe(1);
  });

  test('keeps everything private: socket, folders, logs', async () => {
    await startOne();
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    const logDir = local.folder.at('logs/s_one/main');
    expect({
      run: mode(local.folder.at('run')),
      socket: mode(local.socketPath),
      log: mode(logDir),
      segment: mode(`${logDir}/0000000000000000.seg`),
      registration: mode(local.folder.at('registry/h_test.json')),
    }).toEqual({ run: '700', socket: '600', log: '700', segment: '600', registration: '600' });
  });

  test('tightens a folder for sockets that others could enter', async () => {
    const { Folder } = await import('./support.ts');
    const folder = new Folder();
    mkdirSync(folder.at('run'));
    chmodSync(folder.at('run'), 0o755);
    using other = await openHolder({ folder });
    expect(statSync(other.folder.at('run')).mode & 0o777).toBe(0o700);
  });

  test('registers what runs, and takes it out again', async () => {
    const { fake } = await startOne();
    const registered = () => readRegistrations(local.folder.at('registry')).registrations[0]?.children;
    expect(registered()).toEqual([
      {
        pid: fake.pid,
        startTime: null,
        session: 's_one',
        incarnation: 1,
        name: 'main',
        logDir: local.folder.at('logs/s_one/main'),
      },
    ]);
    fake.exit({ code: 0, signal: null });
    expect(registered()).toEqual([]);
  });
});

describe('reading', () => {
  test('gives each reader every byte from its own offset on, with sizes in place and the exit last', async () => {
    const { daemon, channel, fake } = await startOne();
    const sizes: string[] = [];
    fake.onResize = (columns, rows) => void sizes.push(`${columns}x${rows}`);
    fake.print('0123456789');
    daemon.resize(channel, 100, 30);
    daemon.resize(channel, 100, 30);
    await daemon.list();
    expect(sizes).toEqual(['100x30']);
    fake.print('abcdef');
    fake.exit({ code: 3, signal: null });
    for (let from = 0; from <= 16; from++) {
      using reader = new Reader(daemon, channel, { from });
      await reader.ended();
      expect({ from, text: reader.text, problem: reader.problem, gaps: reader.gaps, at: reader.exitOffset }).toEqual({
        from,
        text: '0123456789abcdef'.slice(from),
        problem: null,
        gaps: [],
        at: 16,
      });
      expect(reader.sizes[0]).toEqual({ offset: from, columns: from < 10 ? 80 : 100, rows: from < 10 ? 24 : 30 });
      expect(reader.exit).toMatchObject({ code: 3, signal: null });
    }
  });

  test('sends what the credit allows and not a byte more', async () => {
    const { daemon, channel, fake } = await startOne();
    const reader = new Reader(daemon, channel, { credit: 10, isCrediting: false });
    fake.print('x'.repeat(1000));
    await reader.until(({ offset }) => offset === 10);
    reader.credit(25);
    await reader.until(({ offset }) => offset === 35);
    await daemon.list();
    expect(reader).toMatchObject({ offset: 35, head: 1000 });
    reader.credit(10_000);
    await reader.until(({ offset }) => offset === 1000);
  });

  test('a reader that stops does not hold up the child, and catches up from disk to the byte', async () => {
    const { daemon, channel, fake } = await startOne();
    const slow = new Reader(await local.connect('screen'), channel, { credit: 5, isCrediting: false });
    const quick = new Reader(daemon, channel);
    const line = `${'y'.repeat(99)}\n`;
    for (let i = 0; i < 40_000; i++) {
      fake.print(line);
      if (i === 20_000) daemon.resize(channel, 120, 40);
      if (i % 500 === 0) await new Promise(setImmediate);
    }
    expect(fake.isPaused).toBe(false);
    fake.exit({ code: 0, signal: null });
    await quick.ended();
    slow.credit(1_000_000_000);
    await slow.ended();
    expect(slow.hash.digest('hex')).toBe(quick.hash.digest('hex'));
    expect([slow.problem, slow.gaps, slow.offset]).toEqual([null, [], 4_000_000]);
    expect(slow.sizes.at(-1)).toEqual(quick.sizes.at(-1));
  });

  test('gathers small output where nobody watches, and sends it at once where somebody does', async () => {
    const { daemon, channel, fake } = await startOne();
    const screen = new Reader(await local.connect('screen'), channel, { coalesceMs: 50 });
    const person = new Reader(daemon, channel, { coalesceMs: 0 });
    await person.until(({ sizes }) => sizes.length > 0);
    await screen.until(({ sizes }) => sizes.length > 0);
    for (let i = 0; i < 50; i++) {
      fake.print('spin');
      await person.until(({ offset }) => offset === 4 * (i + 1));
    }
    await screen.until(({ offset }) => offset === 200);
    expect(person.frames).toBe(50);
    expect(screen.frames).toBeLessThan(10);
  });

  test('tells what retention dropped, and serves the rest', async () => {
    const { daemon, channel, fake } = await startOne({ retainBytes: 20_000, capBytes: 400_000 });
    for (let i = 0; i < 300; i++) {
      fake.print('z'.repeat(1000));
      if (i % 20 === 0) daemon.retain(channel, i * 1000);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    daemon.retain(channel, 300_000);
    const [described] = (await daemon.list()).channels;
    const retainedFrom = described?.retainedFrom ?? 0;
    expect(retainedFrom).toBeGreaterThan(100_000);
    expect(300_000 - retainedFrom).toBeGreaterThanOrEqual(20_000);
    const late = new Reader(await local.connect('screen'), channel);
    fake.exit({ code: 0, signal: null });
    await late.ended();
    expect([late.gaps, late.problem, late.offset]).toEqual([[{ from: 0, to: retainedFrom }], null, 300_000]);
  });

  test('a second subscription replaces the first', async () => {
    const { daemon, channel, fake } = await startOne();
    const first = new Reader(daemon, channel);
    const second = new Reader(daemon, channel);
    fake.print('once');
    await second.until(({ offset }) => offset === 4);
    first.credit(5);
    expect(first.offset).toBe(0);
  });
});

describe('typing', () => {
  test('answers a query once, whichever screen asks, also out of order', async () => {
    const { daemon, channel, fake } = await startOne();
    const typed: string[] = [];
    fake.onInput = (bytes) => typed.push(Buffer.from(bytes).toString());
    fake.print('\x1b[c and \x1b[6n');
    const screen = await local.connect('screen');
    screen.answer(channel, 3, Buffer.from('<3>'));
    screen.answer(channel, 11, Buffer.from('<11>'));
    await eventually(() => typed.length === 2, 'both answers');
    const rebuilt = await local.connect('screen');
    rebuilt.answer(channel, 3, Buffer.from('again'));
    rebuilt.answer(channel, 11, Buffer.from('again'));
    rebuilt.answer(channel, 500, Buffer.from('of the future'));
    await rebuilt.list();
    expect(typed).toEqual(['<3>', '<11>']);
    expect((await daemon.list()).channels[0]?.answeredTo).toBe(11);
    fake.exit({ code: 0, signal: null });
    await new Reader(daemon, channel).ended();
    await daemon.list();
    const answers = [...readLog(local.folder.at('logs/s_one/main'))].filter((item) => item.kind === 'answer');
    expect(answers.map((answer) => answer.query)).toEqual([3, 11]);
  });

  test('lets terminals in by ticket: the driver types, the viewer does not, a seat can be taken away', async () => {
    const { daemon, channel, fake } = await startOne();
    const typed: string[] = [];
    fake.onInput = (bytes) => typed.push(Buffer.from(bytes).toString());
    await expect(local.connect('terminal', { ticket: ticket(9) })).rejects.toMatchObject({
      code: 'refused',
      refused: { code: 'no-ticket' },
    });
    await daemon.grant(channel, ticket(1), 'drive');
    await daemon.grant(channel, ticket(2), 'view');
    const driver = await local.connect('terminal', { ticket: ticket(1) });
    const viewer = await local.connect('terminal', { ticket: ticket(2) });
    expect([driver.welcome.mode, viewer.welcome.mode, viewer.welcome.channel]).toEqual(['drive', 'view', channel]);

    const refusals: string[] = [];
    const note = (refused: HolderRefused) => void refusals.push(`${refused.code} ${refused.frame}`);
    viewer.onRefused(note);
    driver.onRefused(note);
    driver.input(channel, Buffer.from('ls\n'));
    viewer.input(channel, Buffer.from('rm\n'));
    viewer.resize(channel, 10, 10);
    await eventually(() => refusals.length === 2, 'the refusals');
    expect(refusals).toEqual([`not-driver ${FrameType.input}`, `not-driver ${FrameType.resize}`]);

    let revoked = 0;
    driver.onRevoked(() => revoked++);
    expect(await daemon.revoke(channel)).toMatchObject({ ok: true });
    await eventually(() => revoked === 1, 'the driver to be told');
    driver.input(channel, Buffer.from('too late'));
    await eventually(() => refusals.length === 3, 'the third refusal');
    expect(typed).toEqual(['ls\n']);

    const reader = new Reader(driver, channel);
    fake.print('still seen');
    await reader.until(({ offset }) => offset === 10);
    await daemon.grant(channel, ticket(2), 'drive');
    viewer.input(channel, Buffer.from('mine'));
    await eventually(() => typed.length === 2, 'the new driver');

    const closed = new Promise<HolderError>((resolve) => void driver.onClosed(resolve));
    await daemon.revoke(channel, ticket(1));
    expect((await closed).refused?.code).toBe('no-ticket');
  });

  test("a ticket opens its own channel only, and none of what is the daemon's", async () => {
    const { daemon, channel } = await startOne();
    const other = await daemon.start(startOf(local.folder, { session: 's_two' }));
    const otherChannel = other.ok ? other.value.channel : 0;
    await daemon.grant(channel, ticket(1), 'drive');
    const terminal = await local.connect('terminal', { ticket: ticket(1) });
    const refusals: string[] = [];
    terminal.onRefused((refused) => void refusals.push(refused.code));
    terminal.input(otherChannel, Buffer.from('x'));
    terminal.retain(channel, 5);
    await eventually(() => refusals.length === 2, 'the refusals');
    expect(refusals).toEqual(['no-ticket', 'no-ticket']);
    await expect(terminal.list()).rejects.toThrow('may not send this');
  });

  test('says so when nothing runs there', async () => {
    const { daemon, channel, fake } = await startOne();
    fake.onSignal = () => {};
    expect(await daemon.signal(channel, 'SIGUSR1', 'child')).toMatchObject({ ok: true });
    expect(await daemon.signal(999, 'SIGTERM', 'group')).toMatchObject({ ok: false, code: 'unknown-channel' });
    expect(await daemon.close(channel)).toMatchObject({ ok: false, code: 'still-live' });
    expect(await daemon.shutdown()).toMatchObject({ ok: false, code: 'still-live' });
    fake.exit({ code: 0, signal: null });
    await new Reader(daemon, channel).ended();
    expect(await daemon.signal(channel, 'SIGTERM', 'group')).toMatchObject({ ok: false, code: 'not-live' });
    const refused = new Promise<HolderRefused>((resolve) => void daemon.onRefused(resolve));
    daemon.input(channel, Buffer.from('x'));
    expect(await refused).toMatchObject({ code: 'not-live', frame: FrameType.input });
  });
});

describe('the epoch', () => {
  test('lets only the newest daemon act, and lets go of the others with their screens', async () => {
    const { daemon, channel, fake } = await startOne();
    const oldScreen = await local.connect('screen', { epoch: 1 });
    await daemon.grant(channel, ticket(1), 'drive');
    const terminal = await local.connect('terminal', { ticket: ticket(1) });
    const closed = Promise.all(
      [daemon, oldScreen].map((one) => new Promise<HolderError>((resolve) => void one.onClosed(resolve))),
    );
    const next = await local.connect('daemon', { epoch: 7 });
    for (const error of await closed) expect(error.refused).toMatchObject({ code: 'stale-epoch', epoch: 7 });
    await expect(local.connect('daemon', { epoch: 6 })).rejects.toMatchObject({
      code: 'refused',
      refused: { code: 'stale-epoch', epoch: 7 },
    });
    expect((await next.list()).channels[0]?.channel).toBe(channel);
    const typed: string[] = [];
    fake.onInput = (bytes) => typed.push(Buffer.from(bytes).toString());
    terminal.input(channel, Buffer.from('attached all along'));
    await eventually(() => typed.length === 1, 'the terminal to go on');
  });

  test('is remembered over a restart of the holder', async () => {
    const { Folder } = await import('./support.ts');
    const folder = new Folder();
    mkdirSync(folder.at('state'));
    writeFileSync(folder.at('state', 'epoch'), '41\n');
    using other = await openHolder({ folder });
    await expect(other.connect('daemon', { epoch: 40 })).rejects.toMatchObject({ refused: { code: 'stale-epoch' } });
    await other.connect('daemon', { epoch: 42 });
    expect(Number(await import('node:fs').then((fs) => fs.readFileSync(folder.at('state', 'epoch'), 'utf8')))).toBe(42);
  });
});

describe('bad manners', () => {
  test('other protocols are answered clearly', async () => {
    for (const [protocol, code] of [
      [0, 'bad-frame'],
      [2, 'newer-protocol'],
      [1.5, 'bad-frame'],
    ] as const) {
      using client = await RawClient.open(local.socketPath);
      client.hello('daemon', protocol);
      await client.until(({ isClosed }) => isClosed);
      expect(client.frames).toMatchObject([{ type: FrameType.refused, json: { code } }]);
    }
  });

  test('1,000 malformed frames end 1,000 connections and nothing else', async () => {
    const { daemon, channel, fake } = await startOne();
    const reader = new Reader(daemon, channel);
    const bad = badFrames();
    for (let i = 0; i < 1000; i += 20) {
      const clients = await Promise.all(
        Array.from({ length: 20 }, async (_, k) => {
          const client = await RawClient.open(local.socketPath);
          const { isAfterHello, bytes } = bad[(i + k) % bad.length] as (typeof bad)[number];
          if (isAfterHello) client.hello();
          client.socket.write(bytes);
          return client;
        }),
      );
      for (const client of clients) {
        await client.until(({ isClosed }) => isClosed);
        expect(client.frames.at(-1)).toMatchObject({ type: FrameType.refused, json: { code: 'bad-frame' } });
      }
    }
    fake.print('unharmed');
    await reader.until(({ offset }) => offset === 8);
    expect((await daemon.list()).channels.length).toBe(1);
  });

  test('frames of a later version are refused and otherwise ignored', async () => {
    using client = await RawClient.open(local.socketPath);
    client.hello();
    client.send(200, { json: { anything: true } });
    client.send(FrameType.list);
    await client.until(({ frames }) => frames.length === 3);
    expect(client.frames.map(({ type }) => type)).toEqual([FrameType.welcome, FrameType.refused, FrameType.listed]);
    expect(client.frames[1]?.json).toMatchObject({ code: 'unknown-frame', frame: 200 });
  });

  test('a client that never reads costs a bounded amount and no one else anything', async () => {
    const { daemon, channel, fake } = await startOne();
    const reader = new Reader(daemon, channel);
    using deaf = await RawClient.open(local.socketPath);
    deaf.hello('screen');
    await deaf.until(({ frames }) => frames.length === 1);
    deaf.socket.pause();
    deaf.send(FrameType.subscribe, { channel, json: { from: 0, credit: 2_000_000_000, coalesceMs: 0 } });
    const before = await keptBytes();
    for (let i = 0; i < 200; i++) {
      fake.print('n'.repeat(100_000));
      await reader.until(({ offset }) => offset === 100_000 * (i + 1));
    }
    expect((await keptBytes()) - before).toBeLessThan(2_000_000);
    expect(reader.problem).toBe(null);
    // It is let go once it does not even take its refusals.
    for (let i = 0; i < 20_000 && !deaf.isClosed; i++) {
      deaf.send(201);
      if (i % 100 === 0) await new Promise(setImmediate);
    }
    deaf.socket.resume();
    await deaf.until(({ isClosed }) => isClosed);
    expect((await daemon.list()).channels.length).toBe(1);
  });

  test('who says nothing is sent away, and at most 64 are let in', async () => {
    const daemon = await local.connect();
    const clients = await Promise.all(Array.from({ length: 63 }, () => RawClient.open(local.socketPath)));
    await daemon.list();
    using extra = await RawClient.open(local.socketPath);
    await extra.until(({ isClosed }) => isClosed);
    expect(extra.frames).toMatchObject([{ type: FrameType.refused, json: { code: 'full' } }]);
    clients[0]?.socket.write(Buffer.from([5, 0]));
    await Promise.all(clients.map((client) => client.until(({ isClosed }) => isClosed)));
    expect(clients[0]?.frames).toMatchObject([{ type: FrameType.refused, json: { message: /hello/ } }]);
    await eventually(() => local.peers() === 1, 'the holder to have seen them go');
    await local.connect();
  });
});

/** Bytes in buffers that are really in use; what a collection found is freed a moment after it. */
async function keptBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    least = Math.min(least, process.memoryUsage().arrayBuffers);
  }
  return least;
}

/** Frames that no version of the protocol could mean. */
function badFrames(): { isAfterHello: boolean; bytes: Uint8Array }[] {
  const oversize = Buffer.alloc(12);
  oversize.writeUInt32LE(0xffffffff, 0);
  oversize[4] = FrameType.input;
  oversize.writeUInt32LE(1, 8);
  const start = startOf(local.folder);
  const broken: object[] = [
    { ...start, argv: [] },
    { ...start, argv: 'sh -c x' },
    { ...start, argv: ['a\0b'] },
    { ...start, env: { 'A=B': 'c' } },
    { ...start, env: ['A=B'] },
    { ...start, cwd: 'relative' },
    { ...start, logDir: '../../x' },
    { ...start, name: '../x' },
    { ...start, incarnation: 0 },
    { ...start, columns: 0 },
    { ...start, rows: 1e9 },
    { ...start, io: 'tape' },
    { ...start, capBytes: -1 },
    {},
  ];
  const json = (type: number, value: unknown) => encodeFrame(type, 0, 1, encodeJson(value));
  const noise = Array.from({ length: 30 }, (_, i) =>
    Uint8Array.from({ length: 40 }, (_unused, k) => (Math.imul(i * 41 + k + 1, 2654435761) >>> 13) & 0xff),
  );
  return [
    ...noise.map((bytes) => ({ isAfterHello: false, bytes: withLength(bytes) })),
    { isAfterHello: false, bytes: oversize },
    { isAfterHello: true, bytes: oversize },
    { isAfterHello: false, bytes: encodeFrame(FrameType.list, 0, 1) },
    { isAfterHello: false, bytes: json(FrameType.hello, { protocol: 1, role: 'root' }) },
    { isAfterHello: false, bytes: json(FrameType.hello, null) },
    { isAfterHello: false, bytes: json(FrameType.hello, []) },
    { isAfterHello: false, bytes: encodeFrame(FrameType.hello, 0, 1, Buffer.from('{"protocol":1,"role":"daemon"')) },
    { isAfterHello: false, bytes: encodeFrame(FrameType.hello, 0, 1, Buffer.from('{"protocol":1,"role":"dämon"}')) },
    { isAfterHello: false, bytes: encodeFrame(FrameType.hello, 0, 1, Buffer.from('['.repeat(100_000))) },
    { isAfterHello: true, bytes: encodeFrame(FrameType.start, 0, 1, Buffer.from('not json')) },
    ...broken.map((value) => ({ isAfterHello: true, bytes: json(FrameType.start, { ...value, requestId: 1 }) })),
  ];
}

/** Noise that is a whole frame, so that the holder need not wait for more of it. */
function withLength(bytes: Uint8Array): Uint8Array {
  const frame = Buffer.from(bytes);
  frame.writeUInt32LE(frame.length - 12, 0);
  return frame;
}

describe('the end', () => {
  test('leaves by itself when nothing lives and no daemon is there, and takes its files along', async () => {
    let done = false;
    const { Folder } = await import('./support.ts');
    using other = await openHolder({
      idleMs: 30,
      folder: new Folder(),
      startChild: startFakeChild((started) => void children.push(started)),
    });
    const daemon = await other.connect();
    const reply = await daemon.start(startOf(other.folder));
    expect(reply.ok).toBe(true);
    (await child()).exit({ code: 0, signal: null });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(other.isDone).toBe(false);
    daemon[Symbol.dispose]();
    await eventually(() => other.isDone, 'the holder to leave');
    done = true;
    expect({
      done,
      registry: readdirSync(other.folder.at('registry')),
      run: readdirSync(other.folder.at('run')),
    }).toEqual({
      done: true,
      registry: [],
      run: [],
    });
  });

  test('a shutdown that is possible is answered by the end of the connection', async () => {
    const daemon = await local.connect();
    expect(await daemon.shutdown()).toEqual({ ok: true, value: null });
    expect(local.isDone).toBe(true);
  });

  test('requests still open when the holder goes fail at once', async () => {
    const daemon = await local.connect();
    const list = daemon.list();
    local[Symbol.dispose]();
    await expect(list).rejects.toBeInstanceOf(HolderError);
    await expect(daemon.list()).rejects.toBeInstanceOf(HolderError);
  });
});
