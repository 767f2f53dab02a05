import { expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';
import { stopGraceMs } from './index.ts';

const running = { session: 's1', incarnation: 1, holder: 'h', pid: 101, exit: null };

it('a process is told to end, and killed once the grace is over', () => {
  const story = new FleetStory();
  story.run(1, 'ready');
  const told = gist(story.tell({ type: 'session/stop', session: 's1' }));
  const early = gist(story.wait(stopGraceMs - 1).tell({ type: 'tick' }));
  const due = story.fleet.nextWakeAt();
  const late = gist(story.wait(1).tell({ type: 'tick' }));
  expect({ told, early, dueIn: (due ?? 0) - story.at, late, after: story.fleet.nextWakeAt() }).toEqual({
    told: { events: ['session.stopRequested'], effects: ['process/signal SIGTERM'], refusal: null },
    early: { events: [], effects: [], refusal: null },
    dueIn: 0,
    late: { events: ['session.killed'], effects: ['process/signal SIGKILL'], refusal: null },
    after: null,
  });
});

it('asking again does not put the kill off', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.tell({ type: 'session/stop', session: 's1' });
  const { stopping } = story.session('s1');
  const again = gist(story.wait(2_000).tell({ type: 'session/stop', session: 's1' }));
  expect([again, story.session('s1').stopping]).toEqual([{ events: [], effects: [], refusal: null }, stopping]);
});

it('a process on its way is told as soon as it is there', () => {
  const story = new FleetStory();
  story.start(1);
  story.makeWorktree('s1');
  const asked = gist(story.tell({ type: 'session/stop', session: 's1' }));
  const wake = story.fleet.nextWakeAt();
  const started = gist(story.wait(60_000).makeProcess('s1'));
  expect({ asked, wake, started, killIn: (story.session('s1').stopping?.killAt ?? 0) - story.at }).toEqual({
    asked: { events: ['session.stopRequested'], effects: [], refusal: null },
    wake: null,
    started: {
      events: ['session.processStarted', 'evidence.seen', 'session.stopRequested'],
      effects: ['process/signal SIGTERM'],
      refusal: null,
    },
    killIn: stopGraceMs,
  });
});

it('a session whose folder is being made stays without a process until it is resumed', () => {
  const story = new FleetStory();
  story.start(1);
  const asked = gist(story.tell({ type: 'session/stop', session: 's1' }));
  const made = gist(story.makeWorktree('s1'));
  const resumed = gist(story.tell({ type: 'session/resume', session: 's1' }));
  expect({ asked, made, resumed }).toEqual({
    asked: { events: ['session.stateChanged asleep'], effects: [], refusal: null },
    made: { events: ['session.worktreeReady'], effects: [], refusal: null },
    resumed: {
      events: ['session.launchRequested', 'session.stateChanged starting'],
      effects: ['session/launch'],
      refusal: null,
    },
  });
});

it('nothing is there to stop once it has ended', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.exit('s1', 0);
  expect(gist(story.tell({ type: 'session/stop', session: 's1' })).refusal).toBe('session/not-live');
});

it('the word of a daemon that died is given again, with its grace', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.tell({ type: 'session/stop', session: 's1' });
  story.wait(stopGraceMs).tell({ type: 'tick' });
  story.wait(1_000).begin();
  const found = gist(story.look([running]));
  const later = gist(story.wait(stopGraceMs).tell({ type: 'tick' }));
  expect([found, later]).toEqual([
    {
      events: ['session.adopted', 'session.stopRequested', 'recovery.finished'],
      effects: ['process/signal SIGTERM'],
      refusal: null,
    },
    { events: ['session.killed'], effects: ['process/signal SIGKILL'], refusal: null },
  ]);
});
