import { expect, it } from 'vitest';
import { plainSpec } from '../../test/support/fleet-story.ts';
import { type Clock, silentLog } from '../base/index.ts';
import { emptyFleet, Fleet, type Input, type Journal, type JournalBatch } from '../fleet/index.ts';
import { EventLoop } from './event-loop.ts';

const start = Date.UTC(2026, 10, 23, 8);

/** A journal whose every write waits for the test's word. */
class HandJournal implements Journal {
  readonly waiting: { batch: JournalBatch; settle: PromiseWithResolvers<void> }[] = [];
  readonly written: string[][] = [];

  append(batch: JournalBatch): Promise<void> {
    const settle = Promise.withResolvers<void>();
    this.waiting.push({ batch, settle });
    return settle.promise;
  }

  async succeed(): Promise<void> {
    const next = this.waiting.shift();
    this.written.push(next?.batch.rows.map(({ event }) => event.type) ?? []);
    next?.settle.resolve();
    await rest();
  }

  async fail(code: string): Promise<void> {
    this.waiting.shift()?.settle.reject(Object.assign(new Error(code), { code }));
    await rest();
  }

  read = async () => [];
  writeSnapshot = async () => {};
  [Symbol.asyncDispose] = async () => {};
}

/** A clock whose timers fire when the test moves it. */
class HandClock implements Clock {
  ms = 0;
  readonly #timers = new Set<{ at: number; fn: () => void }>();

  now = () => start + this.ms;
  monotonic = () => this.ms;

  after(ms: number, fn: () => void): Disposable {
    const timer = { at: this.ms + ms, fn };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  get timers(): number[] {
    return [...this.#timers].map(({ at }) => at - this.ms);
  }

  async advance(ms: number): Promise<void> {
    this.ms += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.ms) continue;
      this.#timers.delete(timer);
      timer.fn();
    }
    await rest();
  }
}

/** All that can go on without the test has gone on. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** `react` hears what is shown and run, as it is. */
function begin(react: (loop: EventLoop, what: string) => void = () => {}) {
  const clock = new HandClock();
  const journal = new HandJournal();
  const fleet = new Fleet(emptyFleet('host'));
  const told: string[] = [];
  const tell = (what: string) => {
    told.push(what);
    react(loop, what);
  };
  const loop: EventLoop = new EventLoop(
    { clock, log: silentLog },
    {
      fleet,
      journal,
      run: (effect) => tell(`run ${effect.type}`),
      prepare: (turn) => () => tell(`show ${turn.events.map(({ type }) => type).join(', ')}`),
      onTrouble: (message) => void told.push(`trouble ${message}`),
      onFenced: (message) => void told.push(`fenced ${message}`),
    },
  );
  const at = () => clock.now();
  const started: Input = { type: 'daemon/started', at: at(), epoch: 1, pid: 1, version: '0', bootId: 'b', slots: 4 };
  const looked: Input = { type: 'recovery/inventory', at: at(), channels: [], bootId: 'b' };
  const task = (n: number): Input => ({
    type: 'task/start',
    at: at(),
    task: `t${n}`,
    session: `s${n}`,
    project: { id: 'p', root: '/r', name: 'r' },
    spec: plainSpec,
  });
  return { clock, journal, fleet, loop, told, started, looked, task, at };
}

/** Begun and at rest: what was told until then is forgotten. */
async function running(react?: (loop: EventLoop, what: string) => void) {
  const all = begin(react);
  all.loop.report(all.started);
  all.loop.report(all.looked);
  await all.journal.succeed();
  await all.journal.succeed();
  all.told.length = 0;
  all.journal.written.length = 0;
  return all;
}

const shownTask = 'show project.added, task.added, task.claimed, session.created';
const shownNextTask = 'show task.added, task.claimed, session.created';

it('nothing is shown, done or answered before it is durable, and then in order', async () => {
  const { loop, journal, told, task } = await running();
  void loop.submit(task(1)).then(() => told.push('answered'));
  await rest();
  const before = [...told];
  await journal.succeed();
  expect([before, told, loop.isSettled]).toEqual([[], [shownTask, 'run worktree/create', 'answered'], true]);
});

it('what comes in during a write is written together, after it', async () => {
  const { loop, journal, told, task } = await running();
  for (const n of [1, 2, 3]) loop.report(task(n));
  await journal.succeed();
  await journal.succeed();
  expect([journal.written.map((rows) => rows.length), told.length]).toEqual([[4, 6], 6]);
});

it('a refusal is answered at once', async () => {
  const { loop, task, at } = await running();
  loop.report(task(1));
  const turn = await loop.submit({ type: 'session/stop', at: at(), session: 'nobody' });
  expect(turn.refusal?.code).toBe('session/not-found');
});

it('what is only shown waits for what happened before it', async () => {
  const { loop, journal, told, task, at } = await running();
  loop.report(task(1));
  loop.report({ type: 'session/title', at: at(), session: 's1', incarnation: 0, title: 'Title' });
  const before = [...told];
  await journal.succeed();
  expect([before, told]).toEqual([[], [shownTask, 'run worktree/create', 'show title.changed']]);
});

it('what an effect reports at once is shown after the turns before it', async () => {
  const { loop, journal, told, task, at } = await running((self, what) => {
    if (what === 'run worktree/create')
      self.report({ type: 'session/title', at: start, session: 's1', incarnation: 0, title: 'Made' });
  });
  loop.report(task(1));
  await journal.succeed();
  const first = told.splice(0);
  loop.report({ type: 'session/title', at: at(), session: 's1', incarnation: 0, title: 'Other' });
  expect([first, told]).toEqual([[shownTask, 'run worktree/create', 'show title.changed'], ['show title.changed']]);
});

it('what is reported while something is shown comes after all that was to be shown', async () => {
  const { loop, journal, told, task, at } = await running((self, what) => {
    if (what === 'show output.seen')
      self.report({ type: 'session/title', at: start, session: 's1', incarnation: 0, title: 'Seen' });
  });
  loop.report(task(1));
  loop.report({ type: 'session/output', at: at(), session: 's1', incarnation: 0, head: 1 });
  loop.report({ type: 'holder/seen', at: at(), holder: 'h', pid: 1, alive: true });
  await journal.succeed();
  expect(told.slice(2)).toEqual(['show output.seen', 'show holder.seen', 'show title.changed']);
});

it('a write that fails is tried again, and its trouble is told once and taken back', async () => {
  const { loop, journal, clock, told, task } = await running();
  loop.report(task(1));
  await journal.fail('disk/full');
  const heldUp = loop.isHeldUp;
  await clock.advance(100);
  await journal.fail('disk/full');
  await clock.advance(200);
  await journal.succeed();
  expect([heldUp, loop.isHeldUp, told]).toEqual([
    true,
    false,
    ['trouble disk/full', 'trouble null', shownTask, 'run worktree/create'],
  ]);
});

it('however long that lasts, of what is only shown the last is kept', async () => {
  const { loop, journal, clock, told, task, at } = await running();
  loop.report(task(1));
  await journal.fail('disk/full');
  for (let n = 0; n < 1_000; n++) {
    loop.report({ type: 'session/output', at: at(), session: 's1', incarnation: 0, head: n });
    loop.report({ type: 'session/title', at: at(), session: 's1', incarnation: 0, title: `${n}` });
  }
  loop.report(task(2));
  await clock.advance(100);
  await journal.succeed();
  await journal.succeed();
  expect([told, loop.isSettled]).toEqual([
    [
      'trouble disk/full',
      'trouble null',
      shownTask,
      'run worktree/create',
      shownNextTask,
      'run worktree/create',
      'show output.seen, title.changed',
    ],
    true,
  ]);
});

it('a fenced loop ends: nothing more is written, shown or done', async () => {
  const { loop, journal, clock, told, task, at } = await running();
  loop.report(task(1));
  loop.report(task(2));
  await journal.fail('journal/fenced');
  loop.report({ type: 'holder/seen', at: at(), holder: 'h', pid: 1, alive: true });
  loop.report(task(3));
  await rest();
  expect([told, journal.waiting, clock.timers]).toEqual([['fenced journal/fenced'], [], []]);
});

it('wakes the fleet when its rules next have something to say', async () => {
  const { loop, journal, clock, fleet, told, task, at } = await running();
  const process = { holder: 'h', holderPid: 1, channel: 1, pid: 2, conversation: null };
  const worktree = { path: '/w', branch: 'b', baseCommit: 'c', isOwned: true, notes: [] };
  loop.report(task(1));
  loop.report({ type: 'worktree/created', at: at(), session: 's1', worktree });
  loop.report({ type: 'process/started', at: at(), session: 's1', incarnation: 1, process, prompt: null });
  loop.report({ type: 'session/stop', at: at(), session: 's1' });
  await journal.succeed();
  await journal.succeed();
  const before = [...clock.timers];
  told.length = 0;
  await clock.advance(before[0] ?? 0);
  await journal.succeed();
  expect([before, told, clock.timers, fleet.nextWakeAt()]).toEqual([
    [5_000],
    ['show session.killed', 'run process/signal'],
    [],
    null,
  ]);
});

it('settles when all is on record', async () => {
  const { loop, journal, told, task } = await running();
  loop.report(task(1));
  loop.report(task(2));
  void loop.settled().then(() => told.push('settled'));
  await journal.succeed();
  const half = told.includes('settled');
  await journal.succeed();
  expect([half, told.at(-1)]).toEqual([false, 'settled']);
});
