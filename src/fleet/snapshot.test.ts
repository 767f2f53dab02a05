import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { FleetStory } from '../../test/support/fleet-story.ts';
import { emptyFleet, evolve, Fleet, type JournalRow, readSnapshot, writeSnapshot } from './index.ts';

/** A story with something of everything, and the rows it left. */
function livedThrough(): { story: FleetStory; rows: JournalRow[] } {
  const rows: JournalRow[] = [];
  const fleet = new Fleet(emptyFleet('host'));
  const handle = fleet.handle.bind(fleet);
  fleet.handle = (input) => {
    const turn = handle(input);
    rows.push(...turn.rows);
    return turn;
  };
  const story = new FleetStory({ slots: 3, fleet });
  story.run(1, 'working');
  story.wait(1_000).run(2, 'review', { name: 'näher' });
  story.tell({ type: 'session/bind-tab', session: 's2', tab: 4 });
  story.run(3, 'blocked', { can: { prompt: false, resume: false } });
  story.start(4, { priority: 'later' });
  story.tell({ type: 'session/send', session: 's1', message: 'm1', text: 'go on', now: false });
  story.tell({ type: 'session/drive', session: 's1', device: 'desk', from: null, take: false });
  story.tell({ type: 'session/pause', session: 's2' });
  story.tell({ type: 'session/stop', session: 's3' });
  story.wait(5_000).tell({ type: 'tick' });
  story.exit('s3', null, 'SIGKILL');
  return { story, rows };
}

it('a snapshot and the rows after it give what all rows give, wherever it is taken', () => {
  const { rows } = livedThrough();
  const all = emptyFleet('host');
  for (const { event, at } of rows) evolve(all, event, at);
  void fc.assert(
    fc.property(fc.nat(rows.length), (seq) => {
      const from = emptyFleet('host');
      for (const { event, at } of rows.slice(0, seq)) evolve(from, event, at);
      const state = readSnapshot(writeSnapshot(from));
      expect(state).toEqual(from);
      for (const { event, at } of JSON.parse(JSON.stringify(rows.slice(seq))) as JournalRow[]) {
        if (state !== null) evolve(state, event, at);
      }
      expect(state).toEqual(all);
    }),
  );
});

it('a snapshot survives being read and written', () => {
  const text = writeSnapshot(livedThrough().story.fleet.state);
  const state = readSnapshot(text);
  expect(state && writeSnapshot(state)).toBe(text);
});

it('what was only measured is learned anew by the next daemon, snapshot or not', () => {
  const { story } = livedThrough();
  story.tell({ type: 'session/footprint', session: 's1', incarnation: 1, footprintMiB: 300 });
  story.tell({
    type: 'session/terminal-paused',
    session: 's1',
    incarnation: 1,
    reason: 'disk-full',
    message: 'The disk is full',
  });
  const state = readSnapshot(writeSnapshot(story.fleet.state));
  const fleet = new Fleet(state ?? emptyFleet('host'));
  fleet.handle({ type: 'daemon/started', at: story.at, epoch: 9, pid: 1, version: '0', bootId: 'boot', slots: 3 });
  const { driver, footprintMiB, terminalPaused } = fleet.state.sessions.get('s1') ?? {};
  expect({ driver, footprintMiB, terminalPaused }).toEqual({ driver: null, footprintMiB: null, terminalPaused: null });
});

it('a snapshot of another shape is not believed', () => {
  expect(readSnapshot(writeSnapshot(emptyFleet('host')).replace('"version":1', '"version":0'))).toBe(null);
});
