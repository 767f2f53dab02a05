import { expect, test } from 'vitest';
import type { SessionState } from '../protocol/index.ts';
import type { StatusRecord } from './agent.ts';
import { StatusReader } from './status-signals.ts';

function record(over: Partial<StatusRecord>): StatusRecord {
  return { id: '', state: 'idle', kind: null, message: null, app: null, progress: null, ...over };
}

/** What a fresh reader makes of tables heard one after the other, each while the session is in the state beside it. */
function read(...heard: [current: SessionState, ...records: StatusRecord[]][]) {
  const reader = new StatusReader();
  return heard.flatMap(([current, ...records], at) => reader.read({ kind: 'status', at, records }, current));
}

const sure = { source: 'osc7501', confidence: 'sure' } as const;

test('a turn from boot to review', () => {
  expect(
    read(
      ['starting', record({ state: 'idle' })],
      ['ready', record({ state: 'working', message: '1/3 reading' })],
      ['working', record({ state: 'blocked', kind: 'permission', message: 'run make?' })],
      ['blocked', record({ state: 'working' })],
      ['working', record({ state: 'done', message: '+3 −1' })],
    ),
  ).toEqual([
    { ...sure, at: 0, signal: 'idle', state: 'ready' },
    { ...sure, at: 1, signal: 'working', state: 'working', detail: '1/3 reading' },
    { ...sure, at: 2, signal: 'blocked:permission', state: 'blocked', detail: 'run make?' },
    { ...sure, at: 3, signal: 'working', state: 'working' },
    { ...sure, at: 4, signal: 'done', state: 'review', detail: '+3 −1' },
  ]);
});

test.each([
  ['question', 'blocked:question'],
  ['auth', 'blocked:auth'],
  [null, 'blocked'],
] as const)('blocked on %s', (kind, signal) => {
  expect(read(['working', record({ state: 'blocked', kind, message: 'say?' })])).toEqual([
    { ...sure, at: 0, signal, state: 'blocked', detail: 'say?' },
  ]);
});

test('an error fails the turn', () => {
  expect(read(['working', record({ state: 'error', message: 'API Error: 429' })])).toEqual([
    { ...sure, at: 0, signal: 'error', state: 'failed', detail: 'API Error: 429' },
  ]);
});

test('idle in the middle of a turn means it was interrupted', () => {
  const [, evidence] = read(['ready', record({ state: 'working' })], ['working', record({ state: 'idle' })]);
  expect(evidence).toEqual({ ...sure, at: 1, signal: 'idle', state: 'ready', detail: 'Interrupted' });
});

test.each(['review', 'failed'] as const)('idle does not settle %s', (current) => {
  const [, evidence] = read(['working', record({ state: 'done' })], [current, record({ state: 'idle' })]);
  expect(evidence).toEqual({ ...sure, at: 1, signal: 'idle' });
});

test('a report taken back leaves the state unknown', () => {
  const told = { ...sure, at: 1, signal: 'clear', state: 'unknown', detail: 'The program stopped reporting its state' };
  expect(read(['ready', record({ state: 'working' })], ['working'])[1]).toEqual(told);
  expect(read(['ready', record({ state: 'working' })], ['working', record({ state: 'clear' })])[1]).toEqual(told);
});

test('a program that never reported has nothing to take back', () => {
  expect(read(['starting'])).toEqual([]);
});

test('the same report again is no news, so a settled turn stays settled', () => {
  expect(read(['working', record({ state: 'done' })], ['ready', record({ state: 'done', progress: 5 })])).toHaveLength(
    1,
  );
});

test('a part that asks blocks the session; its other states do not count beside the program itself', () => {
  const root = record({ state: 'working' });
  const evidence = read(
    ['ready', root, record({ id: 'sub/1', state: 'done' })],
    ['working', root, record({ id: 'sub/1', state: 'blocked', kind: 'question', message: 'which?' })],
    ['blocked', root, record({ id: 'sub/1', state: 'error' })],
  );
  expect(evidence.map(({ state }) => state)).toEqual(['working', 'blocked', 'working']);
});

test('details are safe to show', () => {
  const message = '\x1b]0;owned\x07 \u202eevil\n'.repeat(100);
  const [evidence] = read(['working', record({ state: 'blocked', message })]);
  expect(evidence?.detail).toMatch(/^\]0;owned evil \]0;owned evil .*…$/);
  expect([...(evidence?.detail ?? '')]).toHaveLength(200);
});

test('reporting ends with the report taken back', () => {
  const reader = new StatusReader();
  const seen = [reader.isReporting];
  reader.read({ kind: 'status', at: 1, records: [record({})] }, 'starting');
  seen.push(reader.isReporting);
  reader.read({ kind: 'status', at: 2, records: [] }, 'ready');
  expect([...seen, reader.isReporting]).toEqual([false, true, false]);
});
