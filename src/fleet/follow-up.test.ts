import { describe, expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';

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
