import { expect, test } from 'vitest';
import type { Clock } from '../base/index.ts';
import { emptyFleet, evolve, type FleetEvent, type FleetState } from '../fleet/index.ts';
import type { StreamMessage } from '../protocol/index.ts';
import { Publisher } from './publisher.ts';

const clock: Clock = { now: () => 1000, monotonic: () => 0, after: () => ({ [Symbol.dispose]() {} }) };

function begin(): { state: FleetState; publisher: Publisher } {
  const state = emptyFleet('local');
  evolve(state, { type: 'daemon.started', epoch: 1, pid: 1, version: '1', bootId: 'b', slots: 2 }, 0);
  const publisher = new Publisher(clock, state);
  publisher.begin();
  return { state, publisher };
}

function happen(state: FleetState, publisher: Publisher, ...events: FleetEvent[]): void {
  for (const event of events) evolve(state, event, 1000);
  publisher.publish(publisher.prepare(events), []);
}

const added: FleetEvent = {
  type: 'task.added',
  task: 't_1',
  session: 's_1',
  spec: {
    title: 'Fix login',
    prompt: 'Fix it',
    project: 'p_1',
    agent: 'demo',
    argv: [],
    priority: 'next',
    inPlace: false,
    cwd: '/r',
    name: null,
    tab: null,
    columns: 80,
    rows: 24,
    simulated: true,
    can: { prompt: true, resume: true },
  },
};
const created: FleetEvent = { type: 'session.created', session: 's_1', task: 't_1', name: 'fix', slug: 'fix', tab: 1 };
const claimed: FleetEvent = { type: 'task.claimed', task: 't_1', session: 's_1', token: 1 };

function spoken(message: StreamMessage): string {
  if ('upsert' in message) return `${message.upsert.kind}/${message.upsert.key}`;
  return 'remove' in message ? `-${message.remove.kind}/${message.remove.key}` : 'reset';
}

test('a task in the queue becomes a session, told in numbered changes', () => {
  const { state, publisher } = begin();
  const heard: StreamMessage[] = [];
  using _ = publisher.subscribe(null, (messages) => heard.push(...messages));
  happen(state, publisher, added);
  happen(state, publisher, claimed, created);
  expect(heard.map(spoken)).toEqual(['queued/t_1', 'session/s_1', 'host/host', '-queued/t_1']);
  const first = heard[0]?.seq ?? 0;
  expect(heard.map(({ seq }) => seq - first)).toEqual(heard.map((_message, index) => index));
});

test('what a client missed is sent once; what nobody can tell any more is a reset', () => {
  const { state, publisher } = begin();
  const { seq } = publisher.snapshot();
  happen(state, publisher, added);
  const late: StreamMessage[] = [];
  using _ = publisher.subscribe(seq, (messages) => late.push(...messages));
  expect(late.map(spoken)).toEqual(['queued/t_1']);
  const strange: StreamMessage[] = [];
  using __ = publisher.subscribe(12, (messages) => strange.push(...messages));
  expect(strange).toEqual([{ seq: publisher.snapshot().seq, reset: true }]);
});

test('an event that changes nothing to be seen is not told', () => {
  const { state, publisher } = begin();
  happen(state, publisher, added, claimed, created);
  const heard: StreamMessage[] = [];
  using _ = publisher.subscribe(null, (messages) => heard.push(...messages));
  happen(state, publisher, { type: 'output.seen', session: 's_1', head: 5 });
  expect(heard).toEqual([]);
});
