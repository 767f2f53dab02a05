import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  decodeJson,
  encodeFrame,
  encodeJson,
  FrameReader,
  FrameType,
  type HolderRefused,
} from '../../../src/protocol/index.ts';
import { checkRefusal } from './check-document.ts';
import { TestFleet, untilTrue } from './test-fleet.ts';

const seed = 7;
/** Of random frames on each socket, besides the ones with a name. */
const randomFrames = 1000;
/** At once; the daemon takes 256. */
const batch = 100;
/** What all the bad frames together may leave in memory: garbage not collected yet, and code compiled meanwhile. */
const residentGrowthBytesMax = 192 * 1024 * 1024;

let fleet: TestFleet;
let session: string;
let holder: { pid: number; socket: string };
/** Open now and then for something else: a screen being saved, a log being read. A leak of one per test would be ten times as many. */
const passingDescriptors = 6;

/** As it was before the first of all. */
let before: { child: number | null; descriptors: number; holderDescriptors: number; resident: number } | undefined;

beforeAll(async () => {
  fleet = await TestFleet.start();
  session = await fleet.session({ argv: ['sh', '-c', 'stty raw -echo; echo ready; exec cat'] });
  await fleet.untilLive(session);
  await untilTrue('cat reads', async () => (await fleet.logOf(session)).includes('ready'));
  const registration = readdirSync(fleet.paths.registry).find((name) => name.endsWith('.json')) ?? '';
  holder = JSON.parse(readFileSync(join(fleet.paths.registry, registration), 'utf8')) as typeof holder;
});
afterAll(async () => await fleet[Symbol.asyncDispose]());

beforeEach(async () => {
  const { pid } = await fleet.until(session, () => true);
  before ??= {
    child: pid,
    descriptors: descriptors(fleet.pid),
    holderDescriptors: descriptors(holder.pid),
    resident: resident(fleet.pid),
  };
});

// Whatever was sent: the daemon and the holder are the same processes, answer, and hold nothing more than before.
afterEach(async () => {
  if (before === undefined) return;
  const { child, descriptors: openBefore, holderDescriptors, resident: residentBefore } = before;
  const { daemon } = await fleet.status();
  expect(daemon.pid).toBe(fleet.pid);
  const document = await fleet.until(session, () => true);
  expect(document).toMatchObject({
    pid: child,
    holderPid: holder.pid,
    state: expect.not.stringMatching(/lost|failed|done/),
  });
  const mark = `echo-${Math.round(performance.now())}`;
  await fleet.act(session, 'keys', { bytes: Buffer.from(mark).toString('base64') });
  await untilTrue('the session echoes', async () => (await fleet.logOf(session)).includes(mark));
  await untilTrue('descriptors are closed', () => descriptors(fleet.pid) <= openBefore + passingDescriptors);
  await untilTrue(
    'descriptors of the holder are closed',
    () => descriptors(holder.pid) <= holderDescriptors + passingDescriptors,
  );
  expect(resident(fleet.pid) - residentBefore).toBeLessThan(residentGrowthBytesMax);
});

describe('HTTP', () => {
  const head = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;
  const post = (path: string, body: string | Buffer, ...headers: string[]) =>
    Buffer.concat([
      Buffer.from(
        head(
          `POST ${path} HTTP/1.1`,
          'Host: x',
          'Connection: close',
          `Content-Length: ${Buffer.byteLength(body)}`,
          ...headers,
        ),
      ),
      Buffer.from(body),
    ]);

  it.each<[string, string | Buffer, number | 'refused' | 'closed' | 'cut off']>([
    [
      'an absolute-form target',
      head('GET http://evil.example/v1/nothing HTTP/1.1', 'Host: x', 'Connection: close'),
      'refused',
    ],
    ['a target of two slashes', head('GET // HTTP/1.1', 'Host: x', 'Connection: close'), 'refused'],
    ['a target that is no URL', head('GET http://[::bad HTTP/1.1', 'Host: x', 'Connection: close'), 400],
    ['a host that is none', head('GET /v1/nothing HTTP/1.1', 'Host: a b[', 'Connection: close'), 'refused'],
    ['no host', head('GET /v1/status HTTP/1.1', 'Connection: close'), 400],
    [
      'half a percent sign',
      head('GET /v1/sessions/%E0%A4%A/explain HTTP/1.1', 'Host: x', 'Connection: close'),
      'refused',
    ],
    [
      'a path upwards',
      head('GET /v1/sessions/..%2f..%2fregistry/log HTTP/1.1', 'Host: x', 'Connection: close'),
      'refused',
    ],
    ['a path upwards as it is', head('GET /v1/../../etc/passwd HTTP/1.1', 'Host: x', 'Connection: close'), 'refused'],
    ['a NUL byte in a path', head('GET /v1/sessions/%00/log HTTP/1.1', 'Host: x', 'Connection: close'), 'refused'],
    ['an unknown method', head('BREW /v1/status HTTP/1.1', 'Host: x', 'Connection: close'), 400],
    ['PUT', head('PUT /v1/status HTTP/1.1', 'Host: x', 'Connection: close'), 'refused'],
    ['CONNECT', head('CONNECT evil:443 HTTP/1.1', 'Host: x'), 'closed'],
    ['headers of 1 MB', head('GET /v1/status HTTP/1.1', 'Host: x', `X: ${'x'.repeat(1_000_000)}`), 'closed'],
    [
      '5,000 headers',
      head('GET /v1/nothing HTTP/1.1', 'Host: x', 'Connection: close', ...Array(5000).fill('X: y')),
      431,
    ],
    ['two lengths', head('POST /v1/demo HTTP/1.1', 'Host: x', 'Content-Length: 2', 'Content-Length: 3'), 400],
    [
      'a length and chunks',
      head('POST /v1/demo HTTP/1.1', 'Host: x', 'Content-Length: 2', 'Transfer-Encoding: chunked'),
      400,
    ],
    ['a negative length', head('POST /v1/demo HTTP/1.1', 'Host: x', 'Content-Length: -1'), 400],
    ['a length of 2^64', head('POST /v1/demo HTTP/1.1', 'Host: x', 'Content-Length: 18446744073709551616'), 400],
    [
      'a length of 2^53',
      head('POST /v1/demo HTTP/1.1', 'Host: x', 'Connection: close', 'Content-Length: 9007199254740992'),
      413,
    ],
    ['chunks that are none', `${head('POST /v1/demo HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked')}ZZZ\r\n`, 400],
    [
      'a chunk of 2^63',
      `${head('POST /v1/demo HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked')}8000000000000000\r\n`,
      'closed',
    ],
    // Refused before it is read: the sender may see the end of the connection before the answer.
    ['a body of 8 MB', post('/v1/demo', 'x'.repeat(8_000_000)), 'cut off'],
    ['arrays 10^5 deep', post('/v1/tasks', '['.repeat(100_000) + ']'.repeat(100_000)), 'refused'],
    ['objects 10^5 deep', post('/v1/tasks', `${'{"env":'.repeat(100_000)}1${'}'.repeat(100_000)}`), 'refused'],
    ['a prototype', post('/v1/tasks', '{"__proto__":{"cwd":"/"},"constructor":{"prototype":{"cwd":"/"}}}'), 'refused'],
    [
      'bytes that are no UTF-8',
      post('/v1/tasks', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
      'refused',
    ],
    ['a zip bomb', post('/v1/tasks', gzipSync(Buffer.alloc(50_000_000)), 'Content-Encoding: gzip'), 'refused'],
    ['a form', post('/v1/tasks', 'cwd=/&argv=true', 'Content-Type: application/x-www-form-urlencoded'), 'refused'],
    ['a number', post('/v1/tasks', '7'), 'refused'],
    ['null', post('/v1/tasks', 'null'), 'refused'],
    ['half a request', 'GET /v1/sta', 'closed'],
    ['half a body', `${head('POST /v1/demo HTTP/1.1', 'Host: x', 'Content-Length: 100')}{"a`, 'closed'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', 400],
    ['TLS', Buffer.from('16030100f8010000f40303', 'hex'), 400],
  ])('answers %s and lives', async (_what, bytes, expected) => {
    const answer = await exchange(fleet.paths.socket, bytes, expected === 'closed');
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
    if (expected === 'closed') expect(status).not.toBe(200);
    else if (expected === 'refused') checkRefusal(status, JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)));
    else if (expected === 'cut off') expect([0, 413]).toContain(status);
    else expect(status).toBe(expected);
  });

  it('outlives random bytes', async () => {
    const next = random(seed);
    const starts = [
      'GET /v1/',
      'POST /v1/tasks HTTP/1.1\r\nHost: x\r\n',
      'GET /v1/stream HTTP/1.1\r\nUpgrade: websocket\r\n',
      '',
    ];
    await fuzz(fleet.paths.socket, () => [Buffer.from(starts[next() % starts.length] ?? ''), noise(next)]);
  }, 60_000);
});

describe('WebSocket', () => {
  const upgrade = (path: string, ...headers: string[]) =>
    [`GET ${path} HTTP/1.1`, 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade', ...headers, '', ''].join('\r\n');
  const proper = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'];
  const terminal = () => `/v1/sessions/${session}/terminal`;

  it.each<[string, () => string, number]>([
    ['a target that is no URL', () => upgrade('//', ...proper), 400],
    ['half a percent sign', () => upgrade('/v1/sessions/%E0%A4%A/terminal', ...proper), 400],
    ['an unknown path', () => upgrade('/v1/nothing', ...proper), 404],
    ['no key', () => upgrade('/v1/stream', 'Sec-WebSocket-Version: 13'), 400],
    ['a short key', () => upgrade('/v1/stream', 'Sec-WebSocket-Key: abc', 'Sec-WebSocket-Version: 13'), 400],
    ['version 99', () => upgrade('/v1/stream', proper[0] ?? '', 'Sec-WebSocket-Version: 99'), 400],
    ['another protocol', () => upgrade('/v1/stream', ...proper).replace('websocket', 'h2c'), 400],
    ['POST', () => upgrade('/v1/stream', ...proper).replace('GET', 'POST'), 405],
  ])('answers an upgrade with %s', async (_what, bytes, expected) => {
    expect(await exchange(fleet.paths.socket, bytes())).toMatch(new RegExp(`^HTTP/1.1 ${expected} `));
  });

  it.each<[string, Buffer]>([
    ['an unmasked frame', Buffer.from([0x81, 0x02, 0x7b, 0x7d])],
    ['a length of 2^63', Buffer.from('82ff8000000000000000' + '00000000', 'hex')],
    ['a length of 2^53 - 1', Buffer.from('82ff001fffffffffffff' + '00000000', 'hex')],
    ['a fragmented ping', Buffer.from('098000000000', 'hex')],
    ['a ping of 126 bytes', Buffer.concat([Buffer.from('89fe007e00000000', 'hex'), Buffer.alloc(126)])],
    ['a continuation of nothing', Buffer.from('808000000000', 'hex')],
    ['a reserved opcode', Buffer.from('838000000000', 'hex')],
    ['reserved bits', Buffer.from('f18000000000', 'hex')],
    ['text that is no UTF-8', Buffer.from('818200000000fffe', 'hex')],
    ['a close of one byte', Buffer.from('88810000000003', 'hex')],
    ['a close with a code that is none', Buffer.from('8882000000000001', 'hex')],
  ])('ends the connection after %s', async (_what, frame) => {
    for (const path of ['/v1/stream', '/v1/events', terminal()]) {
      const answer = await exchange(fleet.paths.socket, Buffer.concat([Buffer.from(upgrade(path, ...proper)), frame]));
      expect(answer).toMatch(/^HTTP\/1.1 101 /);
    }
  });

  it('tells a terminal what is no request and goes on with it', async () => {
    const client = fleet.webSocket(terminal());
    const notices: { type: string }[] = [];
    client.on('message', (data, isBinary) => isBinary || notices.push(JSON.parse(String(data)) as { type: string }));
    await new Promise((resolve) => client.once('open', resolve));
    client.send(Buffer.from('typed before attaching'));
    const wrong = [
      '',
      'null',
      '[]',
      '{}',
      '{"type":"attach"}',
      '{"type":"resize","columns":-1,"rows":1e9}',
      '{"type":"credit","bytes":0}',
      '{"type":"credit","bytes":1e300}',
      '{"type":"__proto__"}',
      '['.repeat(100_000),
      JSON.stringify({
        type: 'attach',
        device: 'x'.repeat(65),
        mode: 'drive',
        take: false,
        direct: false,
        columns: 80,
        rows: 24,
        history: 0,
      }),
      JSON.stringify({
        type: 'attach',
        device: 'x',
        mode: 'root',
        take: false,
        direct: false,
        columns: 80,
        rows: 24,
        history: 0,
      }),
    ];
    for (const text of wrong) client.send(text);
    for (const early of ['resync', 'take']) client.send(JSON.stringify({ type: early }));
    client.send(JSON.stringify({ type: 'resize', columns: 80, rows: 24 }));
    client.send(JSON.stringify({ type: 'credit', bytes: 1 }));
    client.send(
      JSON.stringify({
        type: 'attach',
        device: 'x',
        mode: 'view',
        take: false,
        direct: false,
        columns: 80,
        rows: 24,
        history: 0,
      }),
    );
    await untilTrue('attached after all', () => notices.some(({ type }) => type === 'screen'));
    expect(notices.filter(({ type }) => type === 'refused').length).toBe(wrong.length);
    client.send(Buffer.from('typed by a viewer'));
    client.close();
    await new Promise((resolve) => client.once('close', resolve));
    expect((await fleet.logOf(session)).toString()).not.toContain('typed');
  });

  it('ends the connection of a session that is not there', async () => {
    const client = fleet.webSocket('/v1/sessions/s_nothing/terminal');
    const notices: string[] = [];
    client.on('message', (data) => notices.push(String(data)));
    await new Promise((resolve) => client.once('close', resolve));
    expect(JSON.parse(notices[0] ?? '')).toMatchObject({ type: 'refused', code: 'session/not-found' });
  });

  it('outlives random frames', async () => {
    const next = random(seed);
    const paths = ['/v1/stream', '/v1/events', terminal(), '/v1/stream?since=-1', '/v1/stream?since=1e400'];
    await fuzz(fleet.paths.socket, () => [
      Buffer.from(upgrade(paths[next() % paths.length] ?? '', ...proper)),
      noise(next),
    ]);
  }, 60_000);
});

describe('holder', () => {
  const hello = (value: unknown, epoch = 0) => encodeFrame(FrameType.hello, 0, epoch, encodeJson(value));

  it.each<[string, () => Uint8Array, Partial<HolderRefused>]>([
    ['a frame before the hello', () => encodeFrame(FrameType.list, 0, 1), { code: 'bad-frame' }],
    ['a hello that is no JSON', () => encodeFrame(FrameType.hello, 0, 1, Buffer.from('{')), { code: 'bad-frame' }],
    ['a hello outside ASCII', () => encodeFrame(FrameType.hello, 0, 1, Buffer.from('{"ü":1}')), { code: 'bad-frame' }],
    ['an unknown role', () => hello({ protocol: 1, role: 'root' }, 1), { code: 'bad-frame' }],
    ['a newer protocol', () => hello({ protocol: 2, role: 'daemon' }, 1000), { code: 'newer-protocol' }],
    ['a lower epoch', () => hello({ protocol: 1, role: 'daemon' }, 0), { code: 'stale-epoch' }],
    [
      'a ticket nobody gave',
      () => hello({ protocol: 1, role: 'terminal', ticket: 'f'.repeat(32) }),
      { code: 'no-ticket' },
    ],
    ['no ticket', () => hello({ protocol: 1, role: 'terminal' }), { code: 'no-ticket' }],
    [
      'a ticket of the prototype',
      () => hello({ protocol: 1, role: 'terminal', ticket: '__proto__' }),
      { code: 'no-ticket' },
    ],
    ['a frame of 2^32 bytes', () => Buffer.from('ffffffff0100000000000000', 'hex'), { code: 'bad-frame' }],
  ])('is told why: %s', async (_what, frame, expected) => {
    const socket = await open(holder.socket);
    const refusals: HolderRefused[] = [];
    const reader = new FrameReader();
    socket.on('data', (chunk) =>
      reader.push(chunk, ({ type }, payload) => {
        if (type === FrameType.refused) refusals.push(decodeJson(payload) as HolderRefused);
      }),
    );
    socket.write(frame());
    await untilTrue('a refusal', () => refusals.length > 0);
    socket.destroy();
    expect(refusals[0]).toMatchObject(expected);
    expect(refusals[0]?.message).toMatch(/^[A-Z].{10,}/);
  });

  it('outlives random frames, before and after a hello', async () => {
    const next = random(seed);
    await fuzz(holder.socket, () => {
      // Only as a screen of the present epoch: a daemon of a higher one would rightly take over.
      const opening = next() % 2 === 0 ? hello({ protocol: 1, role: 'screen' }, 1) : Buffer.alloc(0);
      const type = next() % 40;
      const isHello = type === FrameType.hello;
      return [Buffer.from(opening), encodeFrame(type, next() % 4, isHello ? 0 : 1, noise(next)), noise(next)];
    });
  }, 60_000);
});

/** Sends bytes and collects the answer until the other side closes; `half` closes by itself once they are sent. */
function exchange(path: string, bytes: string | Uint8Array, half = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The other side need not read what it refuses.
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
    });
    if (half) socket.end(bytes);
    else socket.write(bytes);
  });
}

async function fuzz(path: string, make: () => Uint8Array[]): Promise<void> {
  for (let sent = 0; sent < randomFrames; sent += batch) {
    const sockets = await Promise.all(Array.from({ length: batch }, () => open(path)));
    for (const socket of sockets) for (const part of make()) if (!socket.destroyed) socket.write(part);
    // An answer to a later request: what came before has been read.
    await fleet.status();
    await Promise.all(
      sockets.map((socket) => {
        const closed = new Promise((resolve) => socket.once('close', resolve));
        if (socket.closed) return null;
        socket.destroy();
        return closed;
      }),
    );
  }
}

async function open(path: string): Promise<Socket> {
  const socket = connect(path);
  socket.resume();
  // Being cut off is what most of them deserve.
  socket.on('error', () => {});
  // A full backlog refuses the connection itself, which is an answer too.
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return socket;
}

function noise(next: () => number): Buffer {
  const bytes = Buffer.alloc(next() % 512);
  for (let i = 0; i < bytes.length; i++) bytes[i] = next();
  return bytes;
}

function random(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
