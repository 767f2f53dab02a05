import { describe, expect, it } from 'vitest';
import { FleetStory, gist, processOf } from '../../test/support/fleet-story.ts';

const nothing = { events: [], effects: [], refusal: null };

describe('a report that comes too late or twice changes nothing', () => {
  it('an end told again does not undo what a person has settled', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    story.exit('s1', 1);
    story.tell({ type: 'session/settle', session: 's1' });
    const before = story.session('s1');
    expect([gist(story.exit('s1', 1)), story.session('s1')]).toEqual([nothing, before]);
  });

  it('an end told again does not wake the failure out of a stop', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    story.tell({ type: 'session/stop', session: 's1' });
    story.exit('s1', null, 'SIGTERM');
    expect([gist(story.exit('s1', null, 'SIGTERM')), story.session('s1').state]).toEqual([nothing, 'asleep']);
  });

  it('a loss after the end', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    story.exit('s1', 0);
    const lost = story.tell({ type: 'process/lost', session: 's1', incarnation: 1, cause: 'holder-gone' });
    expect([gist(lost), story.session('s1').state]).toEqual([nothing, 'done']);
  });

  it('a start told again after the end raises no ghost', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    story.exit('s1', 0);
    expect([gist(story.makeProcess('s1')), story.session('s1').process]).toEqual([nothing, null]);
  });

  it('a failed start of a process that runs', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    const failed = story.tell({
      type: 'process/failed',
      session: 's1',
      incarnation: 1,
      code: 'agent/binary-missing',
      message: 'It is not there',
    });
    expect([gist(failed), story.session('s1').process]).toEqual([nothing, processOf(1)]);
  });

  it('a worktree that fails when it is already there', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    const failed = story.tell({
      type: 'worktree/failed',
      session: 's1',
      code: 'git/failed',
      message: 'git ended with 128',
    });
    expect([gist(failed), story.session('s1').state]).toEqual([nothing, 'working']);
  });

  it('a removal nobody waits for any more', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    const turns = [
      story.tell({ type: 'worktree/removed', session: 's1', backupRef: null }),
      story.tell({ type: 'worktree/kept', session: 's1', message: 'dirty' }),
    ];
    expect([turns.map(gist), story.fleet.state.sessions.has('s1')]).toEqual([[nothing, nothing], true]);
  });

  it('a measurement of a process that is gone', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    story.exit('s1', 0);
    story.tell({ type: 'session/footprint', session: 's1', incarnation: 1, footprintMiB: 300 });
    story.tell({
      type: 'session/terminal-paused',
      session: 's1',
      incarnation: 1,
      reason: 'disk-full',
      message: 'The disk is full',
    });
    const { footprintMiB, terminalPaused } = story.session('s1');
    expect({ footprintMiB, terminalPaused }).toEqual({ footprintMiB: null, terminalPaused: null });
  });
});

it('an end counts although the start was never told', () => {
  const story = new FleetStory();
  story.start(1);
  story.makeWorktree('s1');
  expect(gist(story.exit('s1', 3))).toEqual({
    events: ['session.processExited', 'session.stateChanged failed'],
    effects: [],
    refusal: null,
  });
});

it('a report about an earlier process says nothing about the present one', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  story.tell({ type: 'process/lost', session: 's1', incarnation: 1, cause: 'holder-gone' });
  story.tell({ type: 'session/resume', session: 's1' });
  story.makeProcess('s1');
  const exit = { code: 0, signal: null, error: null, message: null };
  const of1 = { session: 's1', incarnation: 1 };
  const late = [
    story.tell({ type: 'process/exited', ...of1, exit }),
    story.tell({ type: 'session/terminal-paused', ...of1, reason: 'disk-full', message: 'The disk is full' }),
    story.tell({ type: 'session/output', ...of1, head: 5_000 }),
    story.tell({ type: 'session/title', ...of1, title: 'Old' }),
    story.tell({ type: 'session/footprint', ...of1, footprintMiB: 300 }),
  ];
  const { process, terminalPaused, head, title, footprintMiB } = story.session('s1');
  expect([late.map(gist), { process, terminalPaused, head, title, footprintMiB }]).toEqual([
    late.map(() => nothing),
    { process: processOf(2), terminalPaused: null, head: 0, title: '', footprintMiB: null },
  ]);
});
