import { describe, expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';
import { deepAfterMs } from './state.ts';

describe('the rules rest', () => {
  it('until a new daemon has seen what is there', () => {
    const story = new FleetStory();
    story.run(1);
    story.tell({ type: 'session/stop', session: 's1' });
    story.begin();
    story.wait(60_000);
    const started = gist(story.start(2));
    const { fleet } = story;
    expect({ started, tick: gist(story.tell({ type: 'tick' })), wake: fleet.nextWakeAt() }).toEqual({
      started: { events: ['task.added'], effects: [], refusal: null },
      tick: { events: [], effects: [], refusal: null },
      wake: null,
    });
  });

  it('once a daemon is ending', () => {
    const story = new FleetStory({ slots: 1 });
    story.run(1);
    story.start(2);
    expect([gist(story.tell({ type: 'daemon/stopping' })), gist(story.exit('s1', 0))]).toEqual([
      { events: ['daemon.stopped'], effects: [], refusal: null },
      { events: ['session.processExited', 'session.stateChanged done', 'task.finished'], effects: [], refusal: null },
    ]);
  });
});

describe('dispatch', () => {
  it('fills free slots by priority, then by age', () => {
    const story = new FleetStory({ slots: 1 });
    story.start(1);
    story.start(2, { priority: 'later' });
    story.start(3);
    story.wait(1_000).start(4, { priority: 'now' });
    story.start(5);
    const order: string[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const session = [...story.fleet.state.sessions.keys()].at(-1) ?? '';
      order.push(session);
      story.makeWorktree(session);
      story.makeProcess(session);
      story.exit(session, 0);
    }
    expect(order).toEqual(['s1', 's4', 's3', 's5', 's2']);
  });

  it('counts what is on its way as a slot in use', () => {
    const story = new FleetStory({ slots: 2 });
    for (const n of [1, 2, 3]) story.start(n);
    const making = [...story.fleet.state.sessions.keys()];
    story.tell({ type: 'worktree/failed', session: 's1', code: 'git/failed', message: 'git ended with 128' });
    expect([making, [...story.fleet.state.sessions.keys()]]).toEqual([
      ['s1', 's2'],
      ['s1', 's2', 's3'],
    ]);
  });

  it('gives the tab that was asked for, the lowest free one, or none', () => {
    const story = new FleetStory({ slots: 20 });
    story.start(1, { tab: 2 });
    for (let n = 2; n <= 11; n++) story.start(n, { tab: 'auto' });
    story.start(12, { tab: null });
    expect([...story.fleet.state.sessions.values()].map(({ tab }) => tab)).toEqual([
      ...[2, 1, 3, 4, 5, 6, 7, 8, 9],
      ...[null, null, null],
    ]);
  });

  it('starts no more when there are fewer slots than before', () => {
    const story = new FleetStory({ slots: 3 });
    for (const n of [1, 2, 3]) story.run(n, 'working');
    story.start(4);
    const alive = [1, 2, 3].map((n) => ({ session: `s${n}`, incarnation: 1, holder: 'h', pid: n, exit: null }));
    story.restart(1, alive);
    story.exit('s1', 0);
    story.exit('s2', 0);
    const before = story.fleet.state.sessions.size;
    story.exit('s3', 0);
    expect([before, story.fleet.state.sessions.size]).toEqual([3, 4]);
  });
});

describe('deep work', () => {
  it('begins after ten minutes in one turn, wakes the fleet for it, and ends with the turn', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    const dueIn = (story.fleet.nextWakeAt() ?? 0) - story.at;
    const early = gist(story.wait(deepAfterMs - 1).tell({ type: 'tick' })).events;
    const due = gist(story.wait(1).tell({ type: 'tick' })).events;
    const after = story.fleet.nextWakeAt();
    story.wait(1).say('s1', { state: 'review' });
    expect({ dueIn, early, due, after, deep: story.session('s1').deep }).toEqual({
      dueIn: deepAfterMs,
      early: [],
      due: ['session.deepened'],
      after: null,
      deep: false,
    });
  });
});
