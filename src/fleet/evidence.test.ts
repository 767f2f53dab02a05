import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FleetStory, gist } from '../../test/support/fleet-story.ts';
import { type Evidence, evolve, type FleetEvent } from './index.ts';

/** Of agents, most believable first; written down a second time on purpose. */
const sources = ['server', 'osc7501', 'hook', 'file', 'mark', 'title', 'silence'] as const;
const states = ['working', 'blocked', 'review', 'ready', 'failed', 'parked'] as const;

const piece = fc.record({
  source: fc.constantFrom(...sources),
  state: fc.constantFrom(...states),
  afterMs: fc.integer({ min: 0, max: 5_000 }),
});

describe('of several voices', () => {
  it('the best that has spoken decides until one as good says otherwise, whatever others agree with it', () => {
    void fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 20 }), (pieces) => {
        const story = new FleetStory();
        story.run(1, null);
        let best = Number.POSITIVE_INFINITY;
        let believed = '';
        for (const { source, state, afterMs } of pieces) {
          story.wait(afterMs).say('s1', { source, state });
          if (sources.indexOf(source) > best) continue;
          best = sources.indexOf(source);
          believed = `${state} by ${source}`;
        }
        const session = story.session('s1');
        expect(`${session.state} by ${session.evidence.source}`).toBe(believed);
      }),
    );
  });

  it('a guess is corrected by a lesser source once it has been quiet for a while', () => {
    const story = new FleetStory();
    story.run(1, null);
    story.say('s1', { source: 'title', confidence: 'guess', state: 'working' });
    const soon = gist(story.wait(2_000).say('s1', { source: 'silence', confidence: 'guess', state: 'review' }));
    const later = gist(story.wait(1).say('s1', { source: 'silence', confidence: 'guess', state: 'review' }));
    expect([soon.events, later.events]).toEqual([['evidence.seen'], ['session.stateChanged review']]);
  });

  it('better proof of the same state is kept and does not restart its clock', () => {
    const story = new FleetStory();
    story.run(1, null);
    story.say('s1', { source: 'title', confidence: 'guess', state: 'working' });
    const since = story.at;
    const confirmed = gist(story.wait(5_000).say('s1', { state: 'working' }));
    const { stateSince, evidence } = story.session('s1');
    expect([confirmed.events, stateSince, evidence]).toEqual([
      ['session.confirmed'],
      since,
      { source: 'osc7501', signal: 'status', at: since + 5_000, confidence: 'sure', state: 'working' },
    ]);
  });

  it('what a person did holds until the agent says something new', () => {
    const story = new FleetStory();
    story.run(1, 'review');
    const spokenAt = story.at;
    story.wait(1_000).tell({ type: 'session/settle', session: 's1' });
    story.say('s1', { state: 'review', at: spokenAt });
    const [replayed, said] = [
      story.session('s1').state,
      gist(story.wait(1_000).say('s1', { state: 'working' })).events,
    ];
    expect([replayed, said]).toEqual(['ready', ['session.stateChanged working']]);
  });

  it('one from the future does not outvote all others until then', () => {
    const story = new FleetStory();
    story.run(1, null);
    story.say('s1', { source: 'file', state: 'working', at: story.at + 3_600_000 });
    story.wait(1_000).say('s1', { state: 'review' });
    expect(story.session('s1').state).toBe('review');
  });

  it('what an agent says before anyone told that it runs is not lost', () => {
    const story = new FleetStory();
    story.start(1);
    story.makeWorktree('s1');
    story.wait(100).say('s1', { state: 'blocked' });
    const before = story.session('s1').state;
    const started = gist(story.wait(100).makeProcess('s1')).events;
    expect([before, started]).toEqual([
      'starting',
      ['session.processStarted', 'evidence.seen', 'session.stateChanged blocked'],
    ]);
  });

  it('what an earlier process said is not held for the next', () => {
    const story = new FleetStory();
    story.run(1, 'blocked');
    story.exit('s1', 1);
    story.tell({ type: 'session/resume', session: 's1' });
    story.makeProcess('s1');
    expect(story.session('s1').state).toBe('starting');
  });

  it('nothing speaks for a process that has ended', () => {
    const story = new FleetStory();
    story.run(1, 'working');
    story.exit('s1', 0);
    expect([gist(story.wait(1).say('s1', { state: 'working' })).events, story.session('s1').state]).toEqual([
      ['evidence.seen'],
      'done',
    ]);
  });
});

it('the last 50 pieces are kept', () => {
  const story = new FleetStory();
  story.run(1, 'working');
  const seen = (n: number): FleetEvent => ({
    type: 'evidence.seen',
    session: 's1',
    evidence: { source: 'hook', signal: `n${n}`, at: story.at, confidence: 'sure' } satisfies Evidence,
  });
  for (let n = 0; n < 60; n++) evolve(story.fleet.state, seen(n), story.at);
  expect(story.session('s1').evidenceLog.map(({ signal }) => signal)).toEqual(
    Array.from({ length: 50 }, (_, n) => `n${n + 10}`),
  );
});
