import { expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';

const nothing = { events: [], effects: [], refusal: null };

function ended(): FleetStory {
  const story = new FleetStory();
  story.run(1, 'working');
  story.exit('s1', 1);
  return story;
}

it('a session goes when its worktree has gone', () => {
  const story = ended();
  const asked = gist(story.tell({ type: 'session/remove', session: 's1', force: false }));
  const gone = gist(story.tell({ type: 'worktree/removed', session: 's1', backupRef: 'refs/backup' }));
  expect([asked, gone, story.fleet.state.sessions.size]).toEqual([
    { events: ['session.removalRequested'], effects: ['worktree/remove'], refusal: null },
    { events: ['task.finished', 'session.removed'], effects: ['session/forget'], refusal: null },
    0,
  ]);
});

it('a session that lives or is starting does not', () => {
  const story = new FleetStory();
  story.start(1);
  const remove = () => gist(story.tell({ type: 'session/remove', session: 's1', force: true })).refusal;
  const refusals = [remove()];
  story.makeWorktree('s1');
  refusals.push(remove());
  story.makeProcess('s1');
  refusals.push(remove());
  expect(refusals).toEqual(['session/live', 'session/live', 'session/live']);
});

it('a session that is going is not woken', () => {
  const story = ended();
  story.tell({ type: 'session/remove', session: 's1', force: false });
  const resumed = gist(story.tell({ type: 'session/resume', session: 's1' })).refusal;
  story.tell({ type: 'worktree/kept', session: 's1', message: 'It has changes' });
  expect([resumed, gist(story.tell({ type: 'session/resume', session: 's1' })).effects]).toEqual([
    'session/wrong-state',
    ['session/launch'],
  ]);
});

it('asking twice does it once, and force waits for the answer to the first', () => {
  const story = ended();
  const remove = (force: boolean) => gist(story.tell({ type: 'session/remove', session: 's1', force }));
  remove(false);
  const second = [remove(false), remove(true)];
  story.tell({ type: 'worktree/kept', session: 's1', message: 'It has changes' });
  expect([...second, remove(true)]).toEqual([
    nothing,
    { ...nothing, refusal: 'session/wrong-state' },
    { events: ['session.removalRequested'], effects: ['worktree/remove'], refusal: null },
  ]);
});

it('a new daemon goes on with a removal', () => {
  const story = ended();
  story.tell({ type: 'session/remove', session: 's1', force: true });
  story.begin();
  expect(gist(story.look([]))).toEqual({ events: ['recovery.finished'], effects: ['worktree/remove'], refusal: null });
});
