import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Timeline } from './timeline.ts';

it('does everything in the order of its time, and of one time in the order it was asked for', () => {
  void fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (delays) => {
      const timeline = new Timeline(1_000);
      const done: [number, number][] = [];
      for (const [index, ms] of delays.entries()) timeline.schedule(ms, 'x', () => done.push([ms, index]));
      while (timeline.next() !== null);
      const expected = delays
        .map((ms, index): [number, number] => [ms, index])
        .sort(([a, i], [b, j]) => a - b || i - j);
      expect(done).toEqual(expected);
    }),
  );
});

it('moves only when something happens, and jumps only on the wall', () => {
  const timeline = new Timeline(1_000);
  const seen: unknown[] = [];
  const note = (what: string) => () => seen.push([what, timeline.monotonic(), timeline.now()]);
  timeline.after(50, note('late'));
  timeline.after(10, () => {
    note('early')();
    timeline.jumpWall(-500);
    timeline.after(5, note('nested'));
  });
  timeline.after(20, note('never'))[Symbol.dispose]();
  const steps = [timeline.next(), timeline.next(), timeline.next(), timeline.next()];
  expect([steps, seen]).toEqual([
    ['timer', 'timer', 'timer', null],
    [
      ['early', 10, 1_010],
      ['nested', 15, 515],
      ['late', 50, 550],
    ],
  ]);
});
