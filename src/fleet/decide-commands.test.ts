import { expect, it } from 'vitest';
import { FleetStory, gist, plainSpec } from '../../test/support/fleet-story.ts';

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

it('a tab moves to whoever asks for it last, and only tabs there are', () => {
  const story = new FleetStory();
  story.run(1, 'working', { tab: 3 });
  story.run(2, 'working');
  const bind = (session: string, tab: number | null) => gist(story.tell({ type: 'session/bind-tab', session, tab }));
  const turns = [bind('s2', 3), bind('s2', 3), bind('s2', 10), bind('s2', 1.5), bind('s2', null), bind('nobody', 1)];
  expect([turns, story.session('s1').tab, story.session('s2').tab]).toEqual([
    [
      { events: ['session.tabChanged', 'session.tabChanged'], effects: [], refusal: null },
      nothing,
      { ...nothing, refusal: 'tab/invalid' },
      { ...nothing, refusal: 'tab/invalid' },
      { events: ['session.tabChanged'], effects: [], refusal: null },
      { ...nothing, refusal: 'session/not-found' },
    ],
    null,
    null,
  ]);
});

it('a tab that is taken is not promised, one whose session goes is free again', () => {
  const story = new FleetStory();
  story.run(1, 'working', { tab: 3 });
  const taken = gist(story.start(2, { tab: 3 })).refusal;
  story.exit('s1', 0);
  story.tell({ type: 'session/remove', session: 's1', force: true });
  story.tell({ type: 'worktree/removed', session: 's1', backupRef: null });
  story.start(3, { tab: 3 });
  expect([taken, story.session('s3').tab]).toEqual(['tab/taken', 3]);
});

it('one device drives, others take over only in so many words', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  const drive = (device: string | null, from: string | null, take = false) =>
    gist(story.tell({ type: 'session/drive', session: 's1', device, from, take }));
  const turns = [drive('desk', null), drive('desk', null), drive('phone', null), drive(null, 'phone')];
  turns.push(drive('phone', null, true), drive(null, 'phone'));
  const changed = { events: ['driver.changed'], effects: [], refusal: null };
  expect([turns, story.session('s1').driver]).toEqual([
    [changed, nothing, { ...nothing, refusal: 'session/not-driver' }, nothing, changed, changed],
    null,
  ]);
});

it('a task leaves the queue on request, a session does not leave that way', () => {
  const story = new FleetStory({ slots: 1 });
  story.start(1);
  story.start(2);
  const remove = (task: string) => gist(story.tell({ type: 'task/remove', task }));
  expect([remove('t1'), remove('t2'), remove('t2')]).toEqual([
    { ...nothing, refusal: 'session/wrong-state' },
    { events: ['task.removed'], effects: [], refusal: null },
    { ...nothing, refusal: 'task/not-found' },
  ]);
});

it('settling says that the last turn has been looked at', () => {
  const story = new FleetStory();
  story.run(1, 'review');
  const settle = () => gist(story.tell({ type: 'session/settle', session: 's1' }));
  expect([settle(), settle()]).toEqual([
    { events: ['session.settled', 'session.stateChanged ready'], effects: [], refusal: null },
    { ...nothing, refusal: 'session/wrong-state' },
  ]);
});

it('tasks of one repository share its project', () => {
  const story = new FleetStory();
  story.start(1);
  story.tell({
    type: 'task/start',
    task: 't2',
    session: 's2',
    project: { id: 'another id', root: '/repo', name: 'repo' },
    spec: plainSpec,
  });
  const { projects, tasks } = story.fleet.state;
  expect([[...projects.values()], tasks.get('t2')?.spec.project]).toEqual([
    [{ id: 'p', root: '/repo', name: 'repo' }],
    'p',
  ]);
});
