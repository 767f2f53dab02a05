import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { childrenOf, isAlive } from '../../support/built-daemon.ts';
import { makeRepository, TestFleet, untilTrue } from './test-fleet.ts';

describe('what happened while the daemon was dead', () => {
  it('a holder killed: its sessions are lost and said so, the log is there, no child lives on', async () => {
    await using fleet = await TestFleet.start();
    const session = await fleet.session({
      argv: ['sh', '-c', 'trap "" HUP TERM; echo printed; while :; do sleep 1; done'],
    });
    const { pid, holderPid } = await fleet.untilLive(session);
    await untilTrue('it printed', async () => (await fleet.logOf(session)).includes('printed'));
    await fleet.kill();
    process.kill(holderPid ?? 0, 'SIGKILL');
    await untilTrue('the holder is gone', () => !isAlive(holderPid ?? 0));
    await fleet.up();
    const document = await fleet.untilState(session, 'lost');
    expect(document).toMatchObject({ pid: null, why: expect.stringMatching(/held its terminal/) });
    expect((await fleet.status()).recovery).toMatchObject({
      adopted: [],
      lost: [{ session, cause: 'holder-gone', canResume: false }],
    });
    expect((await fleet.logOf(session)).toString()).toContain('printed');
    await untilTrue('no orphan', () => !isAlive(pid ?? 0));
  });

  it('an end: the exit is on record, whatever it was', async () => {
    await using fleet = await TestFleet.start();
    const gate = join(fleet.folder, 'gate');
    const wait = `while [ ! -e ${gate} ]; do sleep 0.02; done`;
    const ends = await Promise.all(
      [0, 7].map((code) => fleet.session({ argv: ['sh', '-c', `${wait}; echo over; exit ${code}`] })),
    );
    const pids = await Promise.all(ends.map(async (id) => (await fleet.untilLive(id)).pid ?? 0));
    await fleet.kill();
    makeRepository(gate);
    await untilTrue('all ended', () => pids.every((pid) => !isAlive(pid)));
    await fleet.up();
    expect(await fleet.untilState(ends[0] ?? '', 'done')).toMatchObject({ exitCode: 0 });
    expect(await fleet.untilState(ends[1] ?? '', 'failed')).toMatchObject({ exitCode: 7 });
    expect((await fleet.status()).recovery?.ended.sort()).toEqual([...ends].sort());
    for (const id of ends) expect((await fleet.logOf(id)).toString()).toBe('over\r\n');
  });

  it('a stop that was asked for: the process ends, even one that does not listen', async () => {
    await using fleet = await TestFleet.start();
    const session = await fleet.session({
      argv: ['sh', '-c', 'trap "" TERM HUP; echo ready; while :; do sleep 0.1; done'],
    });
    const { pid } = await fleet.untilLive(session);
    await untilTrue('ready', async () => (await fleet.logOf(session)).includes('ready'));
    await fleet.act(session, 'stop');
    await fleet.kill();
    expect(isAlive(pid ?? 0)).toBe(true);
    await fleet.up();
    await fleet.until(session, (document) => document.pid === null);
    expect(isAlive(pid ?? 0)).toBe(false);
  });
});

it('starts each session once, however often it is killed while starting, and keeps the queue in order', async () => {
  const slots = 4;
  await using fleet = await TestFleet.start({ CONCERT_SLOTS: String(slots) });
  const started = join(fleet.folder, 'started');
  const argv = (n: number) => ['sh', '-c', `echo ${n} >> ${started}; sleep 1000`];
  const priorities = ['later', 'next', 'now'] as const;
  const accepted: { task: string; title: string }[] = [];
  for (let n = 0; n < 12; n++) {
    const title = `task ${n}`;
    const { task } = await fleet.run({
      argv: argv(n),
      title,
      priority: n < slots ? 'now' : (priorities[n % 3] ?? 'next'),
    });
    accepted.push({ task, title });
    // In the middle of whatever the start of the last one is doing.
    if (n < slots && n % 2 === 1) await fleet.restart();
  }
  const queue = async () =>
    (await fleet.untilView(({ queued }) => queued.length === 8)).queued.map(({ title }) => title);
  const order = await queue();
  expect(order).toEqual(['task 5', 'task 8', 'task 11', 'task 4', 'task 7', 'task 10', 'task 6', 'task 9']);
  await fleet.restart();
  expect(await queue()).toEqual(order);
  await fleet.untilView(
    ({ sessions }) => sessions.size === slots && [...sessions.values()].every(({ pid }) => pid !== null),
  );
  await untilTrue('all four run', () => readFileSync(started, 'utf8').trim().split('\n').length >= slots);
  expect(readFileSync(started, 'utf8').trim().split('\n').sort()).toEqual(['0', '1', '2', '3']);
  expect(fleet.holderPids().flatMap(childrenOf).length).toBe(slots);

  const [first] = [...(await fleet.sessions())];
  await fleet.act(first?.id ?? '', 'stop');
  const { queued } = await fleet.untilView((view) => view.queued.length === 7);
  expect(queued.map(({ title }) => title)).toEqual(order.slice(1));
}, 60_000);

it('after everything was killed it lists what was, what can go on and what was cut; a conversation goes on', async () => {
  await using fleet = await TestFleet.start();
  const repository = makeRepository(join(fleet.folder, 'repository'));
  const plain = await fleet.session({ argv: ['sleep', '1000'] });
  const demo = await fleet.session({
    agent: 'demo',
    cwd: repository,
    inPlace: false,
    prompt: 'remember the word aubergine',
    argv: ['--speed', '20'],
  });
  await fleet.untilLive(plain);
  const before = await fleet.until(demo, ({ state }) => state === 'review' || state === 'ready');
  await fleet.killAll();
  await fleet.up();
  const { recovery } = await fleet.status();
  expect(recovery?.lost.sort((a, b) => Number(b.canResume) - Number(a.canResume))).toEqual([
    { session: demo, cause: expect.any(String), canResume: true, wasCut: false },
    { session: plain, cause: expect.any(String), canResume: false, wasCut: expect.any(Boolean) },
  ]);
  expect(await fleet.untilState(demo, 'lost')).toMatchObject({ canResume: true, worktree: before.worktree });
  expect(await fleet.refused('POST', `/v1/sessions/${plain}/resume`, {})).toMatchObject({
    code: 'session/cannot-resume',
  });
  const from = (await fleet.logOf(demo)).length;
  await fleet.act(demo, 'resume', { env: { PATH: process.env['PATH'] ?? '' } });
  const after = await fleet.until(demo, ({ pid, state }) => pid !== null && (state === 'ready' || state === 'review'));
  expect(after.incarnation).toBe(before.incarnation + 1);
  await untilTrue('the conversation is shown again', async () => (await fleet.logOf(demo, from)).includes('aubergine'));
});
