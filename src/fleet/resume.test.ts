import { expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';

const launched = {
  events: ['session.launchRequested', 'session.stateChanged starting'],
  effects: ['session/launch'],
  refusal: null,
};

function launchOf(story: FleetStory): unknown {
  return story.tell({ type: 'session/resume', session: 's1' }).effects[0];
}

it('a conversation goes on in a new process', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.exit('s1', 1);
  expect([launchOf(story), story.session('s1').incarnation]).toEqual([
    { type: 'session/launch', session: 's1', incarnation: 2, resume: true },
    2,
  ]);
});

it('a conversation is not forgotten because one attempt to go on with it failed', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.exit('s1', 1);
  story.tell({ type: 'session/resume', session: 's1' });
  story.tell({ type: 'process/failed', session: 's1', incarnation: 2, code: 'holder/full', message: 'No room' });
  expect(launchOf(story)).toEqual({ type: 'session/launch', session: 's1', incarnation: 3, resume: true });
});

it('a plain command that ran has nothing to go on with, one that never ran is tried again', () => {
  const story = new FleetStory();
  const can = { prompt: false, resume: false };
  story.run(1, 'working', { can });
  story.exit('s1', 1);
  story.start(2, { can });
  story.makeWorktree('s2');
  story.tell({ type: 'process/failed', session: 's2', incarnation: 1, code: 'agent/binary-missing', message: 'None' });
  expect([
    gist(story.tell({ type: 'session/resume', session: 's1' })).refusal,
    gist(story.tell({ type: 'session/resume', session: 's2' })),
  ]).toEqual(['session/cannot-resume', launched]);
});

it('a folder that could not be made is made anew', () => {
  const story = new FleetStory();
  story.start(1);
  story.tell({ type: 'worktree/failed', session: 's1', code: 'git/failed', message: 'git ended with 128' });
  const resumed = gist(story.tell({ type: 'session/resume', session: 's1' }));
  const made = gist(story.makeWorktree('s1'));
  expect([resumed, made]).toEqual([
    { events: ['session.stateChanged starting'], effects: ['worktree/create'], refusal: null },
    {
      events: ['session.worktreeReady', 'session.launchRequested', 'evidence.seen'],
      effects: ['session/launch'],
      refusal: null,
    },
  ]);
});

it('no slot, no process: not even on request', () => {
  const story = new FleetStory({ slots: 1 });
  story.run(1, 'working');
  story.exit('s1', 1);
  story.run(2, 'working');
  const full = gist(story.tell({ type: 'session/resume', session: 's1' })).refusal;
  story.exit('s2', 0);
  expect([full, gist(story.tell({ type: 'session/resume', session: 's1' }))]).toEqual(['fleet/no-slot', launched]);
});

it('what is starting is not started again', () => {
  const story = new FleetStory();
  story.start(1);
  expect(gist(story.tell({ type: 'session/resume', session: 's1' }))).toEqual({
    events: [],
    effects: [],
    refusal: 'session/live',
  });
});

it('a pause ends with the process it was meant for', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.tell({ type: 'session/pause', session: 's1' });
  story.exit('s1', 1);
  expect([story.session('s1').held, gist(story.tell({ type: 'session/resume', session: 's1' }))]).toEqual([
    false,
    launched,
  ]);
});
