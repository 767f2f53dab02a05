import { readdirSync, readFileSync } from 'node:fs';

/**
 * User and system seconds of all threads of some processes, to the microsecond: `stat` counts in hundredths, too coarse
 * for an idle server. Threads that ended are missing, so only processes that keep theirs can be compared.
 */
export function cpuSeconds(pids: readonly number[]): number {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) nanoseconds += threadNanoseconds(pid, thread);
  }
  return nanoseconds / 1e9;
}

function threadNanoseconds(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    // Ended between the listing and the look.
    return 0;
  }
}

/** Memory that only these processes have, in MiB. */
export function privateMiB(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids) {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    for (const [, amount] of rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)) kib += Number(amount);
  }
  return kib / 1024;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** For what only the outside shows. Fails with `what` after `seconds`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { everyMs = 10, seconds = 60 }: { everyMs?: number; seconds?: number } = {},
): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(everyMs)) {
    if (await holds()) return;
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

/** To four digits: more would be noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
