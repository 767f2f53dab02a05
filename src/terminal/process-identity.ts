import { readFileSync } from 'node:fs';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot at its start (field 22 of /proc/<pid>/stat); null where the system does not tell. */
  startTime: number | null;
}

/** Null off Linux and for a process that is gone. */
export function startTimeOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    // No such process, or no such file system: there is nothing to compare with.
    return null;
  }
}

/** Whether this very process still runs. Where start times are unknown the number alone decides. A zombie is gone. */
export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  if (process.platform === 'linux') {
    const now = startTimeOf(pid);
    return now !== null && (startTime === null || now === startTime) && !isZombie(pid);
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return 'ZX'.includes(stat[stat.lastIndexOf(')') + 2] ?? 'X');
  } catch {
    // Gone between two looks.
    return true;
  }
}
