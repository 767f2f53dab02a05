import { expect, it } from 'vitest';
import { FleetStory } from '../../test/support/fleet-story.ts';

it('claims ride with the events that tell of them', () => {
  const story = new FleetStory({ slots: 1 });
  const steps = [
    story.start(1).steps,
    story.makeWorktree('s1').steps,
    story.makeProcess('s1').steps,
    story.tell({ type: 'process/lost', session: 's1', incarnation: 1, cause: 'holder-gone' }).steps,
    story.tell({ type: 'session/resume', session: 's1' }).steps,
    story.exit('s1', 0).steps,
  ];
  const claim = { task: 't1', owner: 'host' };
  expect(steps).toEqual([
    [
      { type: 'enqueue', task: 't1', pool: 'local' },
      { type: 'claim', ...claim, token: 1 },
    ],
    [{ type: 'renew', ...claim, token: 1 }],
    [],
    [],
    [{ type: 'claim', ...claim, token: 2 }],
    [{ type: 'commit', ...claim, token: 2 }],
  ]);
});

it('a finished task is not claimed again when its conversation goes on', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.exit('s1', 0);
  const resumed = story.tell({ type: 'session/resume', session: 's1' });
  const ended = story.exit('s1', 0);
  expect([resumed.effects.length, resumed.steps, ended.steps]).toEqual([1, [], []]);
});

it('a task that is taken out of the queue can be claimed by nobody', () => {
  const story = new FleetStory({ slots: 1 });
  story.start(1);
  story.start(2);
  expect(story.tell({ type: 'task/remove', task: 't2' }).steps).toEqual([
    { type: 'claim', task: 't2', owner: 'host', token: 1 },
    { type: 'commit', task: 't2', owner: 'host', token: 1 },
  ]);
});
