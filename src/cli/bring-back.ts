import { toDisposable } from '../base/index.ts';
import type { Call } from './call.ts';
import { realChance } from './clock.ts';
import { ensureDaemon } from './ensure-daemon.ts';

/** A service may bring the daemon back by itself, and many terminals need not all try at the same moment. */
const waitMs = { least: 300, more: 700 };

/**
 * Brings a daemon that died back while something long-lived needs it. `away` and `back` are told by whoever notices;
 * one stopped on purpose stays down. `tell` says what was done.
 */
export function bringBack(call: Call, tell: (line: string) => void): Disposable & { away(): void; back(): void } {
  const { invocation, home, clock } = call;
  let wait: Disposable | null = null;
  const back = () => {
    wait?.[Symbol.dispose]();
    wait = null;
  };
  const away = () => {
    wait ??= clock.after(waitMs.least + waitMs.more * realChance.float(), async () => {
      wait = toDisposable(() => {});
      await ensureDaemon('revive', { invocation, home, clock, tell });
      wait = null;
    });
  };
  return { away, back, [Symbol.dispose]: back };
}
