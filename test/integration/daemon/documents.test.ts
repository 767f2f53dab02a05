import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EventDocument, type SnapshotDocument, StreamMessage } from '../../../src/protocol/index.ts';
import { checkDocument, checkRefusal } from './check-document.ts';
import { makeRepository, TestFleet } from './test-fleet.ts';

let fleet: TestFleet;
let live: string;
let over: string;
beforeAll(async () => {
  fleet = await TestFleet.start({ CONCERT_SLOTS: '3' });
  const repository = makeRepository(join(fleet.folder, 'repository'));
  over = await fleet.session({ cwd: repository, inPlace: false, argv: ['sh', '-c', 'echo x > "new file"'] });
  await fleet.untilState(over, 'done');
  live = await fleet.session({ argv: ['sleep', '1000'], title: '\u202e<b>\u001b[31m', name: 'live' });
  await fleet.untilLive(live);
});
afterAll(async () => await fleet[Symbol.asyncDispose]());

it('answers every question with a whole document, about what is there and what is not', async () => {
  const seen = new Set<string>();
  for (const path of [
    'status',
    'snapshot',
    'doctor',
    'agents',
    'events',
    'events?since=-1&limit=1e9&session=x',
    'events?since=2&limit=1',
  ]) {
    seen.add(checkDocument(await fleet.json('GET', `/v1/${path}`)));
  }
  for (const id of [live, over]) {
    for (const path of ['', '?screen', '/explain'])
      seen.add(checkDocument(await fleet.json('GET', `/v1/sessions/${id}${path}`)));
  }
  seen.add(checkDocument(await fleet.json('GET', `/v1/sessions/${over}/diff?patch`)));
  const trust = await fleet.json<{ hash: string }>('POST', '/v1/trust', {
    repository: join(fleet.folder, 'repository'),
    hash: null,
  });
  seen.add(
    checkDocument(
      await fleet.json('POST', '/v1/trust', { repository: join(fleet.folder, 'repository'), hash: trust.hash }),
    ),
  );
  expect([...seen].sort()).toEqual(
    ['agents', 'diff', 'doctor', 'events', 'explain', 'session', 'snapshot', 'status', 'trust'].map(
      (name) => `concert/${name}@1`,
    ),
  );
});

it('answers whatever is asked of whatever session with a document, and the daemon lives', async () => {
  const ids = [
    live,
    over,
    's_nothing1',
    '__proto__',
    'constructor',
    '%2e%2e',
    '\u202e',
    '%ff',
    'x'.repeat(5000),
    's_',
    '*',
  ];
  const bodies: unknown[] = [
    undefined,
    {},
    [],
    null,
    'text',
    7,
    { name: 'x\u0000y' },
    { tab: 99 },
    { tab: 9 },
    { text: '' },
    { text: 'x\u001b[2J' },
    { bytes: '!' },
    { bytes: 'eA==' },
    { force: 'yes' },
    { env: { A: 1 } },
    { unknown: 1 },
  ];
  const verbs = ['pause', 'resume', 'send', 'keys', 'rename', 'tab', 'done', 'unknown'];
  for (const id of ids) {
    const path = `/v1/sessions/${encodeURI(id)}`;
    for (const verb of ['', '?screen', '/explain', '/diff', '/unknown']) {
      const { status, body } = await fleet.ask('GET', path + verb);
      const value: unknown = JSON.parse(body.toString('utf8'));
      if (status === 200) checkDocument(value);
      else checkRefusal(status, value);
    }
    for (const verb of verbs) {
      const answers = await Promise.all(bodies.map((body) => fleet.ask('POST', `${path}/${verb}`, body)));
      for (const { status, body } of answers) {
        const value: unknown = JSON.parse(body.toString('utf8'));
        if (status === 200) checkDocument(value);
        else expect(checkRefusal(status, value).code).not.toBe('daemon/internal');
      }
    }
  }
  for (const [method, path] of [
    ['DELETE', '/v1/tasks/t_none'],
    ['DELETE', '/v1/sessions/s_none'],
    ['POST', '/v1/demo'],
    ['POST', '/v1/trust'],
    ['GET', '/'],
    ['GET', '/v1'],
    ['POST', '/v1/status'],
  ] as const) {
    await fleet.refused(method, path, {});
  }
  await fleet.refused('POST', '/v1/trust', { repository: 'relative', hash: null });
  await fleet.refused('POST', '/v1/trust', { repository: '/no/such', hash: null });
  await fleet.refused('POST', '/v1/trust', { repository: join(fleet.folder, 'repository'), hash: 'wrong' });
  expect((await fleet.until(live, () => true)).pid).not.toBe(null);
});

it('streams whole changes and events', async () => {
  const { seq } = await fleet.json<SnapshotDocument>('GET', '/v1/snapshot');
  const changes: unknown[] = [];
  const events: unknown[] = [];
  const stream = fleet.webSocket(`/v1/stream?since=${seq}`);
  const log = fleet.webSocket('/v1/events');
  stream.on('message', (text) => changes.push(JSON.parse(String(text))));
  log.on('message', (text) => events.push(JSON.parse(String(text))));
  await Promise.all([stream, log].map((socket) => new Promise((resolve) => socket.once('open', resolve))));
  for (let i = 0; i < 3; i++) await fleet.run({ argv: ['true'], title: `\u0007title ${i}` });
  await fleet.untilView(
    ({ sessions, queued }) =>
      queued.length === 0 && [...sessions.values()].filter(({ state }) => state === 'done').length >= 4,
  );
  await fleet.act(live, 'rename', { name: 'renamed' });
  await fleet.until(live, ({ name }) => name === 'renamed');
  const closed = [stream, log].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of [stream, log]) socket.close();
  await Promise.all(closed);
  for (const change of changes) expect(StreamMessage.parse(change)).toEqual(change);
  for (const event of events) expect(EventDocument.parse(event)).toEqual(event);
  const seqs = changes.map((change) => (change as StreamMessage).seq);
  expect(seqs).toEqual(seqs.map((_, index) => seq + 1 + index));
  expect(events.length).toBeGreaterThan(10);
  // What is too old, of another daemon or no number at all is answered with a reset, or with what comes next.
  for (const since of ['0', '999999999999999', '-5', 'x']) {
    const late = fleet.webSocket(`/v1/stream?since=${since}`);
    const first = new Promise((resolve) => late.once('message', (text) => resolve(JSON.parse(String(text)))));
    await new Promise((resolve) => late.once('open', resolve));
    await fleet.act(live, 'rename', { name: `renamed-${since.replace(/\W/g, 'm')}-x` });
    expect(StreamMessage.safeParse(await first).success).toBe(true);
    const gone = new Promise((resolve) => late.once('close', resolve));
    late.terminate();
    await gone;
  }
});
