import { type ChildProcess, type StdioPipe, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

interface CleanSpawn {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  stdio: readonly [StdioPipe | 'ignore', StdioPipe | 'ignore', StdioPipe | 'ignore'];
}

/**
 * Starts a process in a session of its own that holds no descriptor of ours. Node leaves open what is not marked
 * close-on-exec, and node-pty does not mark its masters, so a child would hold the terminals of its neighbours: each
 * such descriptor is overlaid with /dev/null in the child.
 */
export function spawnClean({ argv, cwd, env, stdio }: CleanSpawn): ChildProcess {
  const [file = '', ...args] = argv;
  const cover = openSync('/dev/null', 'r+');
  try {
    return spawn(file, args, { cwd, env, detached: true, stdio: [...stdio, ...overlay(cover)] });
  } finally {
    closeSync(cover);
  }
}

/**
 * Runs node-pty's fork so that its child keeps nothing of ours. The prebuilt addon marks descriptors close-on-exec one
 * after the other and stops at the first free number, which an ended session leaves behind: every terminal above it
 * would live on in the child. So there is no free number while it forks.
 */
export function withoutGaps<T>(fork: () => T): T {
  const fillers: number[] = [];
  try {
    if (process.platform === 'linux') {
      const highest = Math.max(...readdirSync('/proc/self/fd').map(Number));
      do fillers.push(openSync('/dev/null', 'r'));
      while ((fillers.at(-1) ?? 0) < highest);
    }
    return fork();
  } finally {
    for (const filler of fillers) closeSync(filler);
  }
}

/**
 * Closes what whoever started us left open and did not mean for us: a pipe someone waits on, a terminal. Only at the
 * start of a process, before there is anything of its own that is not marked close-on-exec.
 */
export function closeInherited(): void {
  for (const descriptor of inheritedDescriptors()) closeSync(descriptor);
}

function overlay(cover: number): ('ignore' | number)[] {
  const inherited = new Set(inheritedDescriptors());
  const slots: ('ignore' | number)[] = [];
  for (let descriptor = 3; descriptor <= Math.max(2, ...inherited); descriptor++) {
    slots.push(inherited.has(descriptor) ? cover : 'ignore');
  }
  return slots;
}

const closeOnExec = 0o2000000;

/** Linux tells the flags of each descriptor; other systems close them all in the child themselves. */
function inheritedDescriptors(): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && (flagsOf(descriptor) & closeOnExec) === 0);
}

function flagsOf(descriptor: number): number {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return Number.parseInt(flags ?? '0', 8);
  } catch {
    // The descriptor of the listing itself, closed by now.
    return closeOnExec;
  }
}
