import { expect, it } from 'vitest';
import { FleetStory, gist, plainSpec } from '../../test/support/fleet-story.ts';
import type { FoundChannel, LossCause } from './index.ts';

function found(session: string, more: Partial<FoundChannel> = {}): FoundChannel {
  return { session, incarnation: 1, holder: 'h2', pid: 7, exit: null, ...more };
}

const exit = { code: 0, signal: null, error: null, message: null };
const nobody = { adopted: [], ended: [], lost: [], relaunched: [], strangers: [] };

it('says of each session what became of it, and acts on nothing that lives', () => {
  const story = new FleetStory({ slots: 6 });
  for (const n of [1, 2, 3, 4]) story.run(n, 'working');
  story.start(5);
  story.makeWorktree('s5');
  story.start(6);
  story.begin(6);
  const turn = story.look([
    found('s1'),
    found('s2', { pid: null, exit }),
    found('s4', { pid: null }),
    found('x1'),
    found('x2', { pid: null, exit }),
  ]);
  const state = story.fleet.state;
  expect([
    gist(turn).effects,
    state.lastRecovery,
    [...state.sessions.values()].map((session) => session.state),
  ]).toEqual([
    ['session/launch', 'worktree/create', 'session/forget'],
    {
      adopted: ['s1'],
      ended: ['s2'],
      lost: [
        { session: 's3', cause: 'holder-gone', canResume: true, wasCut: true },
        { session: 's4', cause: 'unknown-channel', canResume: true, wasCut: true },
      ],
      relaunched: ['s5', 's6'],
      strangers: ['x1'],
    },
    ['working', 'done', 'lost', 'lost', 'starting', 'starting'],
  ]);
});

it.each<[string, string, FoundChannel[], LossCause | null]>([
  ['its holder is gone', 'boot', [], 'holder-gone'],
  ['the machine restarted', 'another boot', [], 'reboot'],
  ['its holder has forgotten it', 'boot', [found('s1', { pid: null })], 'unknown-channel'],
  ['only an earlier process of it is left', 'boot', [found('s1', { incarnation: 0 })], 'holder-gone'],
  ['it is there', 'boot', [found('s1')], null],
])('tells why a session is lost when %s', (_, bootId, channels, cause) => {
  const story = new FleetStory();
  story.run(1, 'review');
  for (const epoch of [2, 3]) story.tell({ type: 'daemon/started', epoch, pid: 1, version: '0', bootId, slots: 4 });
  story.tell({ type: 'recovery/inventory', channels, bootId });
  const lost = cause === null ? [] : [{ session: 's1', cause, canResume: true, wasCut: false }];
  expect([story.fleet.state.lastRecovery, story.session('s1').loss]).toEqual([
    { ...nobody, adopted: cause === null ? ['s1'] : [], lost },
    cause === null ? null : { cause, cutState: 'review' },
  ]);
});

it('a plain command that is lost cannot go on', () => {
  const story = new FleetStory();
  story.run(1, 'working', { can: { prompt: false, resume: false } });
  story.restart(4, []);
  expect(story.fleet.state.lastRecovery?.lost).toEqual([
    { session: 's1', cause: 'holder-gone', canResume: false, wasCut: true },
  ]);
});

it('an adopted session is where it is now', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.restart(4, [found('s1')]);
  expect(story.session('s1').process?.holder).toBe('h2');
});

it('seats are given back when a daemon ends', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.tell({ type: 'session/drive', session: 's1', device: 'desk', from: null, take: false });
  const before = story.session('s1').driver;
  story.restart(4, [found('s1')]);
  expect([before, story.session('s1').driver]).toEqual(['desk', null]);
});

it('what waits in the queue starts after the look around', () => {
  const story = new FleetStory({ slots: 1 });
  story.run(1, 'working');
  story.start(2, { ...plainSpec });
  story.begin(1);
  expect(gist(story.look([])).events).toEqual([
    'session.processLost',
    'session.stateChanged lost',
    'recovery.finished',
    'task.claimed',
    'session.created',
  ]);
});
