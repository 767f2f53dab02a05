import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BuiltDaemon, type ReadyLine } from '../../support/built-daemon.ts';
import { TestFleet, untilTrue } from './test-fleet.ts';
import { TestTerminal } from './test-terminal.ts';
import { canMount } from './tmpfs.ts';

/** It did not start, said why in a sentence, and left. */
async function refusedStart(daemon: BuiltDaemon): Promise<ReadyLine> {
  const ready = await daemon.start();
  expect(ready.ready).toBe(false);
  expect(ready.message).toMatch(/^["A-Z][^\p{Cc}]{20,}$/u);
  await daemon.kill();
  return ready;
}

describe('the home', () => {
  it('is made private, whatever it was', async () => {
    await using fleet = TestFleet.prepare();
    mkdirSync(join(fleet.home, 'holders'), { recursive: true });
    chmodSync(fleet.home, 0o777);
    chmodSync(join(fleet.home, 'holders'), 0o755);
    await fleet.up();
    const { state, sessions, registry, worktrees, run, socket } = fleet.paths;
    for (const folder of [state, sessions, registry, worktrees, run])
      expect(statSync(folder).mode & 0o777, folder).toBe(0o700);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  it('is refused when its sockets would have too long a path', async () => {
    await using fleet = TestFleet.prepare({}, `h/${'long'.repeat(30)}`);
    expect(await refusedStart(fleet)).toMatchObject({ code: 'home/socket-path-too-long' });
  });

  it('is refused when something else is in its place', async () => {
    await using fleet = TestFleet.prepare();
    mkdirSync(fleet.home);
    writeFileSync(fleet.paths.sessions, 'a file');
    expect(await refusedStart(fleet)).toMatchObject({ code: 'home/unusable' });
  });

  it.skipIf(!canMount)('is refused on a read-only disk, and used again once it can be written to', async () => {
    await using fleet = TestFleet.prepareOnDisk('size=32m');
    await fleet.up();
    const session = await fleet.session({ argv: ['true'] });
    await fleet.untilState(session, 'done');
    await fleet.killAll();
    fleet.disk?.remount('ro');
    expect(await refusedStart(fleet)).toMatchObject({ code: 'disk/read-only' });
    fleet.disk?.remount('rw');
    await fleet.up();
    await fleet.untilState(session, 'done');
  });

  it('serves one daemon: a second is refused and the first does not notice', async () => {
    await using fleet = await TestFleet.start();
    const { daemon } = await fleet.status();
    const second = new BuiltDaemon(fleet.home);
    expect(await refusedStart(second)).toMatchObject({ code: 'daemon/already-running' });
    expect(
      await Promise.all([1, 2, 3].map(() => refusedStart(new BuiltDaemon(fleet.home)).then(({ code }) => code))),
    ).toEqual(Array(3).fill('daemon/already-running'));
    expect((await fleet.status()).daemon).toEqual(daemon);
  });

  it.each<[string, string]>([
    ['of nobody', ''],
    ['torn', '{"pid":'],
    ['of no pid', '{"pid":"x"}'],
    ['of a list', '[1,2,3]'],
    ['of a dead process', JSON.stringify({ pid: 2 ** 22 + 1, startTicks: '1' })],
    ['of a living stranger with that pid', JSON.stringify({ pid: process.pid, startTicks: '1' })],
    ['of a negative pid', JSON.stringify({ pid: -1, startTicks: '1' })],
  ])('is taken over from a lock %s and a socket nobody serves', async (_what, lock) => {
    await using fleet = TestFleet.prepare();
    mkdirSync(dirname(fleet.paths.daemonFile), { recursive: true });
    writeFileSync(fleet.paths.daemonFile, lock);
    const stale = createServer();
    await new Promise<void>((resolve) => stale.listen(`${fleet.paths.socket}.made`, resolve));
    writeFileSync(fleet.paths.socket, 'not even a socket');
    await fleet.up();
    expect((await fleet.status()).daemon.pid).toBe(fleet.pid);
    await new Promise((resolve) => stale.close(resolve));
  });

  it('says so when a folder is where its socket belongs', async () => {
    await using fleet = TestFleet.prepare();
    mkdirSync(join(fleet.paths.socket, 'x'), { recursive: true });
    expect(await refusedStart(fleet)).toMatchObject({ code: 'home/unusable' });
    rmSync(fleet.paths.socket, { recursive: true });
    await fleet.up();
  });
});

describe('settings', () => {
  it.each<[string, string]>([
    ['broken', '{"slots": 3'],
    ['not an object', '[]'],
    ['empty', ''],
    ['unknown', '{"slotz": 3}'],
    ['of a prototype', '{"__proto__": 3}'],
    ['of a wrong kind', '{"slots": "many"}'],
    ['out of range', '{"slots": 0}'],
    ['huge', `{"slots": 1e999}`],
  ])('that are %s keep the daemon from starting, with the file named', async (_what, text) => {
    await using fleet = TestFleet.prepare();
    mkdirSync(dirname(fleet.paths.configFile), { recursive: true });
    writeFileSync(fleet.paths.configFile, text);
    const { code, message } = await refusedStart(fleet);
    expect({ code, isNamed: message?.includes(fleet.paths.configFile) }).toEqual({
      code: 'config/invalid',
      isNamed: true,
    });
  });

  it('of the environment are named by their variable', async () => {
    await using fleet = TestFleet.prepare({ CONCERT_SLOTS: 'none' });
    expect((await refusedStart(fleet)).message).toContain('CONCERT_SLOTS');
  });
});

it('only reads after three crashes within a minute: sessions are shown and attachable, nothing new starts', async () => {
  await using fleet = await TestFleet.start();
  const session = await fleet.session({ argv: ['sh', '-c', 'stty raw -echo; echo ready; exec cat'] });
  const { pid } = await fleet.untilLive(session);
  await fleet.kill();
  const now = Date.now();
  writeFileSync(fleet.paths.startsFile, JSON.stringify([now - 3000, now - 2000, now - 1000]));
  await fleet.up();
  expect((await fleet.status()).daemon.readOnly).toMatch(/crash/);
  expect(await fleet.refusedRun({ argv: ['true'] })).toMatchObject({ code: 'daemon/read-only' });
  expect(await fleet.refused('POST', `/v1/sessions/${session}/stop`)).toMatchObject({ code: 'daemon/read-only' });
  expect(await fleet.until(session, () => true)).toMatchObject({ pid });
  for (const direct of [false, true]) {
    using terminal = await TestTerminal.attach(fleet, session, { direct });
    await terminal.untilShown('ready');
    terminal.type(`typed-${direct}`);
    await terminal.untilShown(`typed-${direct}`);
  }
  const doctor = await fleet.json<{ ok: boolean }>('GET', '/v1/doctor');
  expect(doctor.ok).toBe(false);
  const { items } = await fleet.json<{ items: { seq: number; type: string }[] }>('GET', '/v1/events');
  // Ended in order, the next daemon has a clean slate.
  await fleet.kill('SIGTERM');
  await fleet.up();
  const next = await fleet.json<{ items: { seq: number; type: string }[] }>(
    'GET',
    `/v1/events?since=${items.at(-1)?.seq}`,
  );
  expect(next.items[0]?.type).toBe('daemon.started');
  expect((await fleet.status()).daemon.readOnly).toBe(null);
  await untilTrue('adopted', async () => (await fleet.status()).recovery?.adopted.includes(session) === true);
});
