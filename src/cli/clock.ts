import { type Clock, type Random, toDisposable } from '../base/index.ts';

/** The machine's own clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => process.uptime() * 1000,
  after(ms, fn) {
    const timer = setTimeout(fn, Math.max(0, ms));
    return toDisposable(() => clearTimeout(timer));
  },
};

/** Chance for backoff, where nothing depends on its quality. */
export const realChance: Pick<Random, 'float'> = { float: () => Math.random() };

/** The promise, or `undefined` once `ms` have passed. The work itself goes on. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const limit = clock.after(ms, () => resolve(undefined));
    work.then(resolve, reject).finally(() => limit[Symbol.dispose]());
  });
}
