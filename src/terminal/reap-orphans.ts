import type { Clock } from '../base/index.ts';
import { signalProcess } from './holder/signal-process.ts';
import type { RegisteredChild } from './holder-registry.ts';
import { isRunning } from './process-identity.ts';

/** Between the hang-up and the kill: time for an agent to save its conversation. */
const graceMs = 1000;
const lookMs = 50;

export interface ReapedChild {
  child: RegisteredChild;
  /** `unverified`: the system tells no start times, so nobody was signalled; the number may belong to a stranger. */
  result: 'gone' | 'ended' | 'killed' | 'unverified';
}

/**
 * Ends what a dead holder left behind, each with its process group: a hang-up, then after a second a kill. Signals a
 * process only after comparing its start time with the recorded one.
 */
export async function reapOrphans(children: readonly RegisteredChild[], clock: Clock): Promise<ReapedChild[]> {
  return await Promise.all(children.map((child) => reap(child, clock)));
}

async function reap(child: RegisteredChild, clock: Clock): Promise<ReapedChild> {
  if (child.startTime === null) return { child, result: isRunning(child) ? 'unverified' : 'gone' };
  if (!isRunning(child)) return { child, result: 'gone' };
  signalProcess(-child.pid, 'SIGHUP');
  // A stopped process takes its hang-up only when it goes on.
  signalProcess(-child.pid, 'SIGCONT');
  const until = clock.monotonic() + graceMs;
  while (isRunning(child)) {
    if (clock.monotonic() >= until) {
      signalProcess(-child.pid, 'SIGKILL');
      return { child, result: 'killed' };
    }
    await new Promise<void>((resolve) => void clock.after(lookMs, resolve));
  }
  return { child, result: 'ended' };
}
