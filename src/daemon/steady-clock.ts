import type { Clock } from '../base/index.ts';

/**
 * The wall clock as the fleet may see it: never back and never standing still. It follows a jump forward (a closed lid)
 * at once; after a jump back it goes on at half speed until the wall clock has caught up, so that order holds, deadlines
 * pass, and a clock that was wrong for a moment is right again in the end. `startsAt` is the time of the last event on
 * record, in ms since the epoch: a restart does not go back either.
 */
export function steadyClock(clock: Clock, startsAt: number): Clock {
  let at = Math.max(clock.now(), startsAt);
  let readAt = clock.monotonic();
  return {
    now() {
      const wall = clock.now();
      const monotonic = clock.monotonic();
      const elapsed = Math.max(0, monotonic - readAt);
      readAt = monotonic;
      at = Math.max(wall, at + (at > wall - elapsed ? elapsed / 2 : elapsed));
      return Math.round(at);
    },
    monotonic: () => clock.monotonic(),
    after: (ms, fn) => clock.after(ms, fn),
  };
}
