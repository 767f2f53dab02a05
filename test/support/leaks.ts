import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * What is closing takes a few turns of the loop, or a signal's way to a child, to be gone; what is there at every look
 * is a leak. Counted in looks, so that a busy machine gives more time: about a second on an idle one.
 */
const looksMax = 20;
const lookEveryMs = 50;

/**
 * Starts watching this process for what a test file opens and does not close: timers, descriptors (sockets, PTYs,
 * pipes, files, worker threads), watchers and child processes, detached and orphaned ones included. Children are
 * known by `folder`, a temporary folder of this test file alone: it is in their environment as TMPDIR, in their
 * arguments or their working directory.
 *
 * The returned function ends the watch: it waits until all is closed or it has looked `looksMax` times, kills the children
 * that are left and returns one line for each leak. Descriptors and children are seen on Linux only.
 */
export function watchForLeaks(folder: string): () => Promise<string[]> {
  const listTimers = recordTimers();
  openSignalPipe();
  const before = { descriptors: listDescriptors(), resources: countResources() };

  return async () => {
    const look = () => ({
      timers: listTimers(),
      descriptors: [...listDescriptors()].filter(([id]) => !before.descriptors.has(id)).map(([, name]) => name),
      resources: listGrowth(before.resources, countResources()),
      children: findProcesses(folder),
    });
    let left = look();
    for (let looks = 1; looks < looksMax && Object.values(left).some((found) => found.length > 0); looks++) {
      await new Promise((resolve) => realSetTimeout(resolve, lookEveryMs));
      left = look();
    }
    for (const { pid } of left.children) killIfAlive(pid);
    return [
      ...left.timers.map((origin) => `timer set ${origin}`),
      ...left.descriptors.map((name) => `open ${name}`),
      ...left.resources.map((kind) => `active ${kind}`),
      ...left.children.map(({ pid, command }) => `child process ${pid}: ${command}`),
    ];
  };
}

/** Processes, other than this one, that mention a folder in environment, arguments or working directory. None where there is no /proc. */
export function findProcesses(folder: string): { pid: number; command: string }[] {
  return listFolder('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      [readOr('', () => readFileSync(`/proc/${pid}/environ`, 'utf8')), commandOf(pid), workingFolderOf(pid)].some(
        (text) => text.includes(folder),
      ),
    )
    .filter((pid) => !isZombie(pid))
    .map((pid) => ({ pid: Number(pid), command: commandOf(pid) }));
}

/** Ends a process for good; one that is gone already is fine. */
export function killIfAlive(pid: number): void {
  readOr(false, () => process.kill(pid, 'SIGKILL'));
}

const realSetTimeout = globalThis.setTimeout;
const realSetInterval = globalThis.setInterval;

/** Replaces the global timer functions by ones that remember who called; vitest keeps the real ones for itself. */
function recordTimers(): () => string[] {
  const set = new Map<NodeJS.Timeout, Error>();
  let pruneAt = 1_000;
  const record = (timer: NodeJS.Timeout) => {
    set.set(timer, new Error());
    if (set.size > pruneAt) {
      for (const known of set.keys()) if (isOver(known)) set.delete(known);
      pruneAt = 2 * set.size + 1_000;
    }
    return timer;
  };
  type Start = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => NodeJS.Timeout;
  const recording =
    (start: Start): Start =>
    (callback, ms, ...args) =>
      record(start(callback, ms, ...args));
  globalThis.setTimeout = Object.assign(recording(realSetTimeout), realSetTimeout);
  globalThis.setInterval = Object.assign(recording(realSetInterval), realSetInterval);

  return () => [...set].filter(([timer]) => !isOver(timer)).map(([, { stack }]) => callerIn(stack ?? ''));
}

/** Fired for the last time, or cleared in whatever way. */
function isOver(timer: NodeJS.Timeout): boolean {
  return Reflect.get(timer, '_destroyed') === true;
}

function callerIn(stack: string): string {
  const frames = stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
  return frames.find((frame) => !frame.includes(import.meta.filename)) ?? 'at an unknown place';
}

/** libuv opens one pair of pipes for signals with the first child or handler and never closes it: have it open before the first look. */
function openSignalPipe(): void {
  const nothing = () => {};
  process.on('SIGUSR2', nothing).off('SIGUSR2', nothing);
}

/** Open descriptors by number and target, so that a reused number counts anew; those of the runtime itself are left out. */
function listDescriptors(): Map<string, string> {
  const found = new Map<string, string>();
  for (const descriptor of listFolder('/proc/self/fd')) {
    const target = readOr('', () => readlinkSync(`/proc/self/fd/${descriptor}`));
    if (target !== '' && !isRuntimeOwn(target)) found.set(`${descriptor} ${target}`, describeTarget(target));
  }
  return found;
}

function isRuntimeOwn(target: string): boolean {
  return (
    target === '/dev/null' || target.startsWith('/proc/') || /^anon_inode:\[?(?:eventfd|io_uring|inotify)/.test(target)
  );
}

function describeTarget(target: string): string {
  if (target === '/dev/ptmx' || target.startsWith('/dev/pts/')) return `PTY (${target})`;
  if (target.includes('eventpoll')) return 'worker thread';
  const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
  return inode === undefined ? target : `socket ${addressOf(inode)}`;
}

/** Path of a Unix socket, or address and port of a TCP one, in the kernel's own writing. */
function addressOf(inode: string): string {
  for (const table of ['unix', 'tcp', 'tcp6', 'udp']) {
    const rows = readOr('', () => readFileSync(`/proc/self/net/${table}`, 'utf8')).split('\n');
    const columns = rows.map((row) => row.trim().split(/\s+/)).find((row) => row.includes(inode));
    if (columns !== undefined) return table === 'unix' ? (columns[7] ?? 'without a name') : `${table} ${columns[1]}`;
  }
  return inode;
}

/** What keeps the loop alive and is no descriptor of its own or a passing request. */
function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (/^(?:ProcessWrap|FSEventWrap|StatWatcher|MessagePort)$/.test(kind))
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function listGrowth(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): string[] {
  return [...now].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
}

function commandOf(pid: string): string {
  return readOr('', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    .replaceAll('\0', ' ')
    .trim();
}

function workingFolderOf(pid: string): string {
  return readOr('', () => readlinkSync(`/proc/${pid}/cwd`));
}

/** Over, and only waiting for its parent to take note. */
function isZombie(pid: string): boolean {
  return / Z /.test(readOr(') Z ', () => readFileSync(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\)/s, ''));
}

function listFolder(path: string): string[] {
  return readOr([], () => readdirSync(path));
}

/** Processes and descriptors come and go while we look: one that is gone, or somebody else's, says nothing. */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
