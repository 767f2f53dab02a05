import { expect, test } from 'vitest';
import { hostOf, queuedOf, sessionOf } from '../../../test/support/documents.ts';
import { textWidth } from '../../client/index.ts';
import type { EventDocument, ExplainDocument, SessionState } from '../../protocol/index.ts';
import { stateShapes } from '../../protocol/index.ts';
import type { Look } from '../look.ts';
import { longDuration, parseDuration, shortDuration } from './durations.ts';
import { eventLine, eventSentence, isAutomatic } from './event-line.ts';
import { explainLines } from './explain-lines.ts';
import { listLines } from './list-table.ts';
import { recoveryLines } from './recovery-lines.ts';
import { summaryLine } from './summary-line.ts';

const now = Date.parse('2026-11-22T10:58:00.000Z');
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
const wide: Look = { columns: 100, hasUnicode: true, hasColor: false };
const pipe: Look = { columns: null, hasUnicode: true, hasColor: false };

const fleet = {
  host: hostOf(),
  sessions: [
    sessionOf({
      id: 's_cart',
      name: 'refactor-cart',
      tab: 7,
      state: 'ready',
      project: 'web-store',
      why: 'idle, context 41%',
      stateSince: ago(12),
    }),
    sessionOf({
      id: 's_index',
      name: 'search-index',
      tab: 2,
      state: 'working',
      deep: true,
      project: 'ingest',
      why: '5/8 rebuilding shards',
      stateSince: ago(34),
    }),
    sessionOf({
      id: 's_login',
      name: 'fix-flaky-login',
      tab: 3,
      state: 'review',
      project: 'web-store',
      why: '+48 −12, 312 tests pass',
      stateSince: ago(4),
    }),
    sessionOf({
      id: 's_tax',
      name: 'checkout-tax',
      tab: 1,
      state: 'blocked',
      confidence: 'guess',
      why: 'run pnpm db:migrate --env staging?',
      stateSince: ago(6),
    }),
    sessionOf({
      id: 's_docs',
      name: 'docs-i18n',
      why: 'translating 12/40',
      simulated: true,
      messages: 2,
      stateSince: ago(9),
    }),
  ],
  queued: [queuedOf({ task: 't_31abcdef', title: 'Upgrade icon set', project: 'web-store' })],
};

test('the list: summary, who must act first, the queue, what to do next', () => {
  expect(listLines(fleet, wide, now).join('\n')).toBe(
    `
2 waiting on you (oldest 6 min), 1 deep, 1 working, 1 ready, 1 queued, 11 of 12 slots, 1 simulated
TAB  STATE       SESSION           REPO        FOR  WHAT
1    ◆ ~blocked  checkout-tax      shop-api     6m  run pnpm db:migrate --env staging?
3    ■ review    fix-flaky-login   web-store    4m  +48 −12, 312 tests pass
2    ◉ deep      search-index      ingest      34m  5/8 rebuilding shards
     ● working   docs-i18n         shop-api     9m  translating 12/40  simulated, 2 messages queued
7    ○ ready     refactor-cart     web-store   12m  idle, context 41%
     ▷ queued    Upgrade icon set  web-store        needs a free slot (11 of 12 in use)  t_31abcdef
Next: concert attach 1   or   concert show 1`.trim(),
  );
});

test('the list in ASCII and narrow: labels stay, columns give way', () => {
  const ascii: Look = { columns: 60, hasUnicode: false, hasColor: false };
  expect(listLines(fleet, ascii, now).join('\n')).toBe(
    `
2 waiting on you (oldest 6 min), 1 deep, 1 working, 1 ready, 1 queued, 11 of 12 slots, 1 simulated
TAB  STATE       SESSION            FOR  WHAT
1    ! ~blocked  checkout-tax        6m  run pnpm db:migr...
3    = review    fix-flaky-login     4m  +48 −12, 312 tes...
2    @ deep      search-index       34m  5/8 rebuilding s...
     * working   docs-i18n           9m  simulated, 2 mes...
7    o ready     refactor-cart      12m  idle, context 41%
     > queued    Upgrade icon set        need...  t_31abcdef
Next: concert attach 1   or   concert show 1`.trim(),
  );
});

test('no row is wider than the terminal, whatever is in it', () => {
  const sessions = [
    sessionOf({
      id: 's_a',
      name: '日本語のとても長い名前のセッション',
      project: 'プロジェクト名前が長い',
      why: '作業'.repeat(100),
      simulated: true,
    }),
    sessionOf({
      id: 's_b',
      name: 'x'.repeat(200),
      project: 'y'.repeat(200),
      why: '🎉'.repeat(300),
      messages: 12,
      paused: true,
    }),
  ];
  for (let columns = 10; columns < 200; columns++) {
    const [, ...rows] = listLines({ ...fleet, sessions }, { ...wide, columns }, now).slice(0, -1);
    for (const row of rows) expect(textWidth(row)).toBeLessThanOrEqual(columns);
  }
});

test('text of agents cannot leave its row', () => {
  const hostile = sessionOf({ id: 's_x', name: 'a\nb\u001b[2J', project: '\u202ep', why: 'x\r\n\u001b]0;t\u0007y' });
  const lines = listLines({ ...fleet, sessions: [hostile], queued: [] }, pipe, now);
  expect(lines).toHaveLength(3);
  expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test('only the state is coloured, and only on request', () => {
  const session = sessionOf({ id: 's_x', name: 'a', state: 'failed' });
  const [, , row] = listLines({ ...fleet, sessions: [session], queued: [] }, { ...wide, hasColor: true }, now);
  expect(row).toMatch(/^\s+\u001b\[31m✕ failed\s*\u001b\[39m {2}a /);
});

test('an empty fleet says what will appear', () => {
  expect(listLines({ sessions: [], queued: [], host: hostOf() }, wide, now)).toEqual([
    'No sessions, 12 slots',
    'Next: concert run "<task>"   or   concert demo',
  ]);
});

test('a daemon that only reads says so first', () => {
  const host = hostOf({ readOnly: 'the journal is damaged' });
  expect(listLines({ ...fleet, host }, wide, now)[0]).toBe(
    'Read-only: the journal is damaged. Attaching works, running sessions go on.',
  );
});

test('the summary names every state there is', () => {
  const states = Object.keys(stateShapes).filter((state) => state !== 'queued' && state !== 'deep') as SessionState[];
  const sessions = states.map((state) => sessionOf({ id: `s_${state}`, state, stateSince: ago(1), simulated: true }));
  expect(summaryLine({ sessions, queued: [], host: null }, now)).toBe(
    '3 waiting on you (oldest 1 min), 1 working, 1 starting, 1 ready, 1 parked, 1 unknown, 1 lost, 1 paused, 1 asleep, 1 done, all simulated',
  );
});

test('explain says who said what, why it is believed, and what was known before', () => {
  const document: ExplainDocument = {
    schema: 'concert/explain@1',
    session: 's_x',
    name: 'fix-login',
    state: 'review',
    since: ago(4),
    because: {
      source: 'hook',
      signal: 'Stop',
      at: ago(4),
      confidence: 'sure',
      state: 'review',
      detail: '+48\u001b[2J −12',
    },
    evidence: [
      { source: 'hook', signal: 'Stop', at: ago(4), confidence: 'sure', state: 'review', detail: '+48\u001b[2J −12' },
      { source: 'title', signal: 'spinner', at: ago(5), confidence: 'guess', state: 'working', detail: null },
    ],
    sources: [
      { source: 'server', reports: ['any to review'] },
      { source: 'hook', reports: ['working to review', 'any to blocked'] },
      { source: 'title', reports: [] },
    ],
  };
  const clock = (minutes: number) => new Date(now - minutes * 60_000).toTimeString().slice(0, 5);
  expect(explainLines(document, wide, now)).toEqual([
    `fix-login is ■ review since ${clock(4)} (4 min).`,
    `A hook of the agent said so at ${clock(4)}: Stop (+48 [2J −12), which is certain.`,
    'It is believed because server said nothing later that contradicts it.',
    'Older evidence, newest first:',
    `  ${clock(5)}  working   title: spinner (guess)`,
    'What each source of this agent tells, most believable first:',
    '  server: any to review',
    '  hook: working to review, any to blocked',
    '  title: supports only',
  ]);
});

test('what a restart found is said honestly', () => {
  const recovery = {
    adopted: ['s_a', 's_b'],
    ended: ['s_c'],
    relaunched: [],
    strangers: ['s_zzz'],
    lost: [
      { session: 's_d', cause: 'reboot', canResume: true, wasCut: true },
      { session: 's_e', cause: 'holder-gone', canResume: false, wasCut: false },
    ],
  };
  expect(recoveryLines(recovery, (id) => id.slice(2))).toEqual([
    'Kept running: a, b',
    'Ended while no daemon was looking: c',
    'Lost: d (the machine was restarted; its turn was cut; can resume: concert resume s_d)',
    'Lost: e (the process that held its terminal is gone; no turn was cut; cannot resume; its log is kept)',
    'Left alone: 1 processes that belong to no session of this home',
  ]);
  expect(recoveryLines(null, String)).toEqual([]);
});

const eventOf = (some: Partial<EventDocument>): EventDocument => ({
  seq: 4812,
  at: '2026-11-22T10:58:09.000Z',
  type: 'session.stateChanged',
  session: 's_x',
  data: {},
  ...some,
});

test('events read as lines and as sentences', () => {
  const changed = eventOf({
    data: { session: 's_x', from: 'blocked', to: 'working', evidence: { source: 'hook', signal: 'Stop\u001b[2J' } },
  });
  const name = () => 'tax';
  expect(eventLine(changed, name)).toBe(
    '4812  2026-11-22T10:58:09.000Z  session.stateChanged  tax  from=blocked to=working evidence={"source":"hook","signal":"Stop\\u001b[2J"}',
  );
  expect(eventSentence(changed, name)).toMatch(
    /^2026-11-22 \d\d:58:09 {2}tax: blocked to working \(hook: Stop \[2J\)$/,
  );
  expect(eventSentence(eventOf({ type: 'later.kind' }), name)).toMatch(/later\.kind tax$/);
});

test.each([
  [{ type: 'session.stopRequested', data: { by: 'fleet' } }, true],
  [{ type: 'session.stopRequested', data: { by: 'person' } }, false],
  [{ type: 'session.killed' }, true],
  [{ type: 'session.renamed', data: { name: 'x' } }, false],
])('%j happened by itself: %s', (event, isItself) => {
  expect(isAutomatic(eventOf(event))).toBe(isItself);
});

test('durations', () => {
  expect([-5, 0, 45_000, 6 * 60_000, 119 * 60_000, 50 * 3_600_000].map(shortDuration)).toEqual([
    '0s',
    '0s',
    '45s',
    '6m',
    '1h',
    '2d',
  ]);
  expect(longDuration(360_000)).toBe('6 min');
  expect(['90s', '20m', '1.5h', '2d', '500ms', '30', '5min', 'soon', '', '-3s', '1e3'].map(parseDuration)).toEqual([
    90_000,
    1_200_000,
    5_400_000,
    172_800_000,
    500,
    30_000,
    300_000,
    null,
    null,
    null,
    null,
  ]);
});
