import { expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';

const nothing = { events: [], effects: [], refusal: null };

it('a request that comes twice counts once', () => {
  const story = new FleetStory({ slots: 1 });
  story.run(1, 'working');
  const send = () => gist(story.tell({ type: 'session/send', session: 's1', message: 'm', text: 'go on', now: false }));
  const turns = [gist(story.start(2)), gist(story.start(2)), gist(story.start(1)), send(), send()];
  expect(turns).toEqual([
    { events: ['task.added'], effects: [], refusal: null },
    nothing,
    nothing,
    { events: ['message.queued'], effects: [], refusal: null },
    nothing,
  ]);
});

it('a task goes with its session', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.exit('s1', 0);
  story.tell({ type: 'session/remove', session: 's1', force: true });
  story.tell({ type: 'worktree/removed', session: 's1', backupRef: null });
  expect([story.fleet.state.sessions.size, story.fleet.state.tasks.size]).toEqual([0, 0]);
});
