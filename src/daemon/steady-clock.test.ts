import { expect, it } from 'vitest';
import { steadyClock } from './steady-clock.ts';

/** A wall clock and a monotonic one that are set by hand. */
function handClock(wall: number) {
  const clock = {
    wall,
    ms: 0,
    now: () => clock.wall,
    monotonic: () => clock.ms,
    after: () => ({ [Symbol.dispose]() {} }),
  };
  return clock;
}

const day = 86_400_000;

it('is the wall clock while that goes on evenly', () => {
  const clock = handClock(1_000);
  const steady = steadyClock(clock, 0);
  const seen = [0, 10, 250].map((ms) => {
    clock.ms += ms;
    clock.wall += ms;
    return steady.now();
  });
  expect(seen).toEqual([1_000, 1_010, 1_260]);
});

it('follows a closed lid at once', () => {
  const clock = handClock(1_000);
  const steady = steadyClock(clock, 0);
  clock.wall += day;
  expect(steady.now()).toBe(1_000 + day);
});

it('goes on when the wall clock was set back, and at half speed until they meet', () => {
  const clock = handClock(day);
  const steady = steadyClock(clock, 0);
  clock.wall -= 1_000;
  const seen = [0, 600, 600, 600, 600, 600].map((ms) => {
    clock.ms += ms;
    clock.wall += ms;
    return [steady.now() - day, clock.wall - day];
  });
  expect(seen).toEqual([
    [0, -1_000],
    [300, -400],
    [600, 200],
    [900, 800],
    [1_400, 1_400],
    [2_000, 2_000],
  ]);
});

it('does not begin before what is on record', () => {
  const clock = handClock(1_000);
  const steady = steadyClock(clock, 5_000);
  clock.ms += 100;
  clock.wall += 100;
  expect(steady.now()).toBe(5_050);
});
