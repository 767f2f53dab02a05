import { toDisposable } from '../base/index.ts';
import { Api } from '../client/index.ts';
import type { Call } from './call.ts';
import { realChance } from './clock.ts';
import { createRevivingTransport } from './ensure-daemon.ts';

/** A service may bring the daemon back by itself, and many terminals need not all try at the same moment. */
const waitMs = { least: 300, more: 700 };

/**
 * Brings a daemon that died back while something long-lived needs it. `away` and `back` are told by whoever notices;
 * one stopped on purpose stays down. `tell` says what was done.
 */
export function bringBack(
  { invocation, home, clock }: Call,
  tell: (line: string) => void,
): Disposable & { away(): void; back(): void } {
  const api = new Api(createRevivingTransport('revive', { invocation, home, clock, tell }));
  let wait: Disposable | null = null;
  const back = () => {
    wait?.[Symbol.dispose]();
    wait = null;
  };
  const away = () => {
    wait ??= clock.after(waitMs.least + waitMs.more * realChance.float(), async () => {
      wait = toDisposable(() => {});
      await api.status();
      wait = null;
    });
  };
  return { away, back, [Symbol.dispose]: back };
}
