import { watch } from 'node:fs';
import type { Clock } from '../base/index.ts';

/** Resolves with true once `check` holds: looked at now and whenever something in the folder changes; false after `ms`. */
export async function whenFolder(
  { clock, folder, ms }: { clock: Clock; folder: string; ms: number },
  check: () => boolean | Promise<boolean>,
): Promise<boolean> {
  using stack = new DisposableStack();
  const held = Promise.withResolvers<boolean>();
  const look = async () => {
    if (await check()) held.resolve(true);
  };
  const watcher = stack.adopt(watch(folder, look), (open) => open.close());
  watcher.on('error', held.reject);
  stack.use(clock.after(ms, () => held.resolve(false)));
  void look();
  return await held.promise;
}
