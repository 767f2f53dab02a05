import { readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet, untilTrue } from './test-fleet.ts';
import { TestTerminal } from './test-terminal.ts';

/** Each line says which it is, so that what was served tells where it comes from. */
const lines = 900_000;
/** An echo through a daemon busy with clients that do not read; bare it takes a few milliseconds. */
const echoMsMax = 3_000;
const residentGrowthBytesMax = 150 * 1024 * 1024;

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await TestFleet.start();
});
afterAll(async () => await fleet[Symbol.asyncDispose]());
afterEach(async () => {
  expect((await fleet.status()).daemon.pid).toBe(fleet.pid);
});

interface Download {
  status: number;
  body: Buffer;
  /** What the trailer says of it. */
  verdict: { from: number; to: number; damaged: boolean } | null;
}

function download(session: string, from = 0): Promise<Download> {
  return new Promise((resolve, reject) => {
    const path = `/v1/sessions/${session}/log?from=${from}`;
    const call = request({ socketPath: fleet.paths.socket, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const said = response.trailers['concert-log'];
        const verdict = said === undefined ? null : (JSON.parse(said) as Download['verdict']);
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), verdict });
      });
    });
    call.on('error', reject);
    call.end();
  });
}

/** A session that is over, with a log of several segments. */
async function written(): Promise<{ session: string; folder: string; segments: string[]; whole: Buffer }> {
  const session = await fleet.session({ argv: ['sh', '-c', `stty raw; seq 1 ${lines}`] });
  await fleet.untilState(session, 'done');
  const folder = join(fleet.paths.sessions, session, 'log');
  const segments = readdirSync(folder)
    .filter((name) => name.endsWith('.seg'))
    .sort();
  const { body, verdict } = await download(session);
  expect(verdict).toEqual({ from: 0, to: body.length, damaged: false });
  expect(body.equals(Buffer.from(Array.from({ length: lines }, (_, i) => `${i + 1}\n`).join('')))).toBe(true);
  expect(segments.length).toBeGreaterThan(1);
  return { session, folder, segments, whole: body };
}

describe('a damaged log', () => {
  it('serves the rest and says so: flipped bits, a truncated and a missing segment', async () => {
    const { session, folder, segments, whole } = await written();
    const [first = '', second = ''] = segments;
    const path = join(folder, first);
    const sound = readFileSync(path);

    const flipped = Buffer.from(sound);
    flipped[1_000_000] = (flipped[1_000_000] ?? 0) ^ 1;
    writeFileSync(path, flipped);
    const after = await download(session);
    expect(after).toMatchObject({ status: 200, verdict: { from: 0, to: whole.length, damaged: true } });
    // One record is gone and nothing else: it begins and ends as it was.
    expect(whole.length - after.body.length).toBeGreaterThan(0);
    expect(whole.length - after.body.length).toBeLessThanOrEqual(64 * 1024);
    expect(after.body.subarray(0, 900_000).equals(whole.subarray(0, 900_000))).toBe(true);
    expect(after.body.subarray(-1_000_000).equals(whole.subarray(-1_000_000))).toBe(true);

    writeFileSync(path, sound.subarray(0, 2_000_000));
    const truncated = await download(session);
    expect(truncated).toMatchObject({ status: 200, verdict: { damaged: true } });
    expect(truncated.body.subarray(-1_000_000).equals(whole.subarray(-1_000_000))).toBe(true);

    writeFileSync(path, sound);
    rmSync(join(folder, second));
    const missing = await download(session);
    expect(missing.status).toBe(200);
    expect(whole.subarray(0, missing.body.length).equals(missing.body) || missing.verdict?.damaged).toBe(true);

    for (const name of segments.slice(0, 1)) truncateSync(join(folder, name), 0);
    expect((await download(session)).status).toBe(200);
    expect(await fleet.until(session, () => true)).toMatchObject({ state: 'done' });
  });

  it('is never looked for outside its folder', async () => {
    const session = await fleet.session({ argv: ['echo', 'secret'] });
    await fleet.untilState(session, 'done');
    for (const id of [
      `..%2fholders%2f${session}`,
      `${session}%2f`,
      `.%2f${session}`,
      '..',
      '%00',
      's_UPPER',
      '__proto__',
    ]) {
      const { status } = await download(id);
      expect(status, id).toBe(404);
    }
    expect(await download(session, 1e15)).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect((await fleet.logOf(session, -5)).toString()).toBe('secret\r\n');
  });
});

it('takes a line of 10 MB, binary garbage and a storm of sizes', async () => {
  const script =
    'stty raw -echo; read x; head -c 10000000 /dev/zero | tr "\\0" x; head -c 1000000 /dev/urandom; printf "\\033[2J\\033[H"; echo; echo done; read x';
  const session = await fleet.session({ argv: ['bash', '-c', script] });
  await fleet.untilLive(session);
  using terminal = await TestTerminal.attach(fleet, session, { direct: true });
  terminal.type('\n');
  for (let i = 0; i < 500; i++) terminal.ask({ type: 'resize', columns: 20 + (i % 300), rows: 5 + (i % 90) });
  terminal.ask({ type: 'resize', columns: 90, rows: 25 });
  await terminal.untilShown('done');
  const { body, verdict } = await download(session);
  expect(body.length).toBeGreaterThan(11_000_000);
  expect(body.subarray(body.indexOf('x'), body.indexOf('x') + 10_000_000).every((byte) => byte === 0x78)).toBe(true);
  expect(verdict).toMatchObject({ damaged: false });
  terminal.ask({ type: 'resync' });
  await terminal.untilTold((notice) => notice.type === 'screen' && notice.columns === 90 && notice.rows === 25);
  await fleet.json('GET', `/v1/sessions/${session}?screen`);
}, 60_000);

it('stays responsive and small beside clients that never read', async () => {
  const loud = await fleet.session({ argv: ['sh', '-c', 'stty raw; while :; do seq 1 20000; sleep 0.05; done'] });
  const quiet = await fleet.session({ argv: ['sh', '-c', 'stty raw -echo; echo ready; exec cat'] });
  await Promise.all([loud, quiet].map((id) => fleet.untilLive(id)));
  const before = resident();
  const stuck: { close(): void }[] = [];
  for (let i = 0; i < 10; i++) {
    const call = request({ socketPath: fleet.paths.socket, path: `/v1/sessions/${loud}/log`, agent: false });
    call.on('error', () => {});
    call.on('response', (response) => response.pause());
    call.end();
    stuck.push({ close: () => call.destroy() });
    const client = fleet.webSocket(`/v1/sessions/${loud}/terminal`);
    client.on('error', () => {});
    await new Promise((resolve) => client.once('open', resolve));
    client.send(
      JSON.stringify({
        type: 'attach',
        device: `stuck-${i}`,
        mode: 'view',
        take: false,
        direct: false,
        columns: 80,
        rows: 24,
        history: 1000,
      }),
    );
    // Asks for everything and takes nothing.
    client.send(JSON.stringify({ type: 'credit', bytes: 16_777_216 }));
    client.pause();
    stuck.push({ close: () => client.terminate() });
  }
  using terminal = await TestTerminal.attach(fleet, quiet, { device: 'person' });
  await terminal.untilShown('ready');
  const from = (await fleet.status()).daemon.epoch;
  const start = (await fleet.logOf(quiet)).length;
  let slowest = 0;
  for (let i = 0; i < 40; i++) {
    const typedAt = performance.now();
    terminal.type(`typed ${i};`);
    await terminal.untilShown(`typed ${i};`);
    slowest = Math.max(slowest, performance.now() - typedAt);
    await new Promise((wake) => setTimeout(wake, 50));
  }
  expect(slowest).toBeLessThan(echoMsMax);
  expect(resident() - before).toBeLessThan(residentGrowthBytesMax);
  expect((await fleet.logOf(quiet)).length).toBeGreaterThan(start);
  for (const { close } of stuck) close();
  expect((await fleet.status()).daemon.epoch).toBe(from);
  await fleet.act(loud, 'stop');
  await fleet.until(loud, ({ pid }) => pid === null);
}, 60_000);

it('outlives downloads that are broken off', async () => {
  const session = await fleet.session({ argv: ['sh', '-c', 'stty raw; seq 1 300000'] });
  await fleet.untilState(session, 'done');
  for (let i = 0; i < 50; i++) {
    await new Promise<void>((resolve) => {
      const call = request({ socketPath: fleet.paths.socket, path: `/v1/sessions/${session}/log`, agent: false });
      call.on('error', () => resolve());
      call.on('close', () => resolve());
      call.on('response', (response) => {
        response.on('error', () => {});
        if (i % 2 === 0) call.destroy();
        else response.once('data', () => call.destroy());
      });
      call.end();
    });
  }
  await untilTrue(
    'its descriptors are closed',
    () => !readdirSync(`/proc/${fleet.pid}/fd`).some((fd) => linkOf(fd).endsWith('.seg')),
  );
});

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/${fleet.pid}/fd/${fd}`);
  } catch {
    // Closed between being listed and being looked at.
    return '';
  }
}

function resident(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${fleet.pid}/status`, 'utf8'))?.[1]) * 1024;
}
