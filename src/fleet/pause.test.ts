import { expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';

it('a pause shows once the turn is over, and gives back what was under it', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  const paused = gist(story.tell({ type: 'session/pause', session: 's1' }));
  const ended = gist(story.wait(1_000).say('s1', { state: 'review' }));
  const resumed = gist(story.tell({ type: 'session/resume', session: 's1' }));
  expect([paused, ended, resumed]).toEqual([
    { events: ['session.paused'], effects: [], refusal: null },
    { events: ['session.stateChanged paused'], effects: [], refusal: null },
    { events: ['session.unpaused', 'session.stateChanged review'], effects: [], refusal: null },
  ]);
});

it('a session at rest is paused at once, and asking again changes nothing', () => {
  const story = new FleetStory();
  story.run(1, 'review');
  const turns = [1, 2].map(() => gist(story.tell({ type: 'session/pause', session: 's1' })));
  story.tell({ type: 'session/resume', session: 's1' });
  expect([turns, story.session('s1').state]).toEqual([
    [
      { events: ['session.paused', 'session.stateChanged paused'], effects: [], refusal: null },
      { events: [], effects: [], refusal: null },
    ],
    'review',
  ]);
});

it('a turn that ended under a pause still waits to be looked at when the process ends', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.tell({ type: 'session/pause', session: 's1' });
  story.say('s1', { state: 'review' });
  story.exit('s1', 0);
  expect(story.session('s1').state).toBe('review');
});

it.each([
  ['a finished turn', 0, 'done'],
  ['a failure', 1, 'failed'],
])('settling %s of a session without a process finishes its task', (_, code, outcome) => {
  const story = new FleetStory();
  story.run(1, 'review');
  story.exit('s1', code);
  const settled = gist(story.tell({ type: 'session/settle', session: 's1' }));
  expect([settled, story.fleet.state.tasks.get('t1')?.outcome]).toEqual([
    { events: ['session.settled', 'session.stateChanged done', 'task.finished'], effects: [], refusal: null },
    outcome,
  ]);
});

it('a doubtful voice does not undo under a pause what a sure one said, nor after it', () => {
  const story = new FleetStory();
  story.run(1, 'review');
  const doubt = () => story.wait(1_000).say('s1', { source: 'title', confidence: 'guess', state: 'ready' });
  story.wait(1_000).tell({ type: 'session/pause', session: 's1' });
  doubt();
  story.wait(1_000).tell({ type: 'session/resume', session: 's1' });
  doubt();
  expect([story.session('s1').state, story.session('s1').evidence.source]).toEqual(['review', 'osc7501']);
});
