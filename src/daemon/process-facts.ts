import { readdirSync, readFileSync } from 'node:fs';

/**
 * When a process began, in clock ticks since boot (field 22 of `/proc/<pid>/stat`): with the pid it names a process for
 * good. `unknown` where there is no `/proc` but the process answers; null when there is no such process.
 */
export function processStartTicks(pid: number): string | null {
  const stat = statFields(pid);
  if (stat !== null) return stat[0] === 'Z' ? null : (stat[19] ?? 'unknown');
  try {
    process.kill(pid, 0);
    return process.platform === 'linux' ? null : 'unknown';
  } catch {
    return null;
  }
}

/** Names one boot of this machine; falls back to the boot time where the kernel gives no id. */
export function bootId(uptimeMs: number, nowMs: number): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `boot-${Math.round((nowMs - uptimeMs) / 60_000)}`;
  }
}

/** Resident memory in MiB of each given process with all its descendants; shared pages count once per process. */
export function treeMemoryMiB(roots: readonly number[]): Map<number, number> {
  const children = new Map<number, number[]>();
  const resident = new Map<number, number>();
  for (const entry of listProcesses()) {
    const stat = statFields(entry);
    if (stat === null) continue;
    const parent = Number(stat[1]);
    children.set(parent, [...(children.get(parent) ?? []), entry]);
    resident.set(entry, Number(stat[21]) * 4096);
  }
  const sum = (pid: number): number => {
    let bytes = resident.get(pid) ?? 0;
    for (const child of children.get(pid) ?? []) bytes += sum(child);
    return bytes;
  };
  return new Map(roots.map((pid) => [pid, Math.round(sum(pid) / 1_048_576)]));
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** What follows the command name in `/proc/<pid>/stat`, so index 0 is field 3. */
function statFields(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
