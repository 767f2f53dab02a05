/**
 * The holder: a small process that keeps sessions alive.
 *
 * It is started by a daemon, in a session of its own, and does not need that daemon again. For each session it starts a
 * child on a PTY (or on pipes), reads what the child prints, appends it to a log on disk and hands it to whoever
 * subscribed: a daemon's screen workers, attached terminals. It types what a driver types, sets sizes, sends signals,
 * and writes down how a child ended. That is all. It has no emulator, no HTTP, no database and no opinion, because every
 * line in here is a line that could end sixteen sessions at once.
 *
 * What it promises:
 * - A daemon may die, be replaced or be killed at any moment: children do not notice, and the next daemon finds the
 *   holder through its file in the registry folder and reads on from the offset it had.
 * - Output is never dropped. A slow reader is served from disk at its own pace and holds up nobody. If the disk is full
 *   or a session's kept output reaches its cap, that session's child is paused, which is reported, and goes on when
 *   there is room; meanwhile its bytes wait in memory and in the kernel.
 * - Killed itself (SIGKILL, out of memory), it leaves logs that can be read to the last record, a registration naming
 *   its children, and no orphans: the kernel hangs up the terminals, and a tiny shell beside it ends the rest.
 * - It exits by itself once it has neither a living child nor a daemon.
 *
 * Started as `node main.ts <JSON of HolderConfig>`; fields missing there have the defaults of `holderDefaults`.
 * SIGHUP and SIGINT mean nothing to it. SIGTERM is the machine shutting down: children are hung up, logs completed.
 */
import { join } from 'node:path';
import { openFileLog } from './file-log.ts';
import { Holder } from './holder.ts';
import { type HolderConfig, holderDefaults } from './holder-config.ts';
import { ShellOrphanGuard } from './orphan-guard.ts';
import { closeInherited } from './spawn-clean.ts';
import { startChild } from './start-child.ts';

/** Time for children to end after a hang-up, then for logs to be written; a shutdown waits no longer than that twice. */
const endMs = 3000;

const config = { ...holderDefaults, ...(JSON.parse(process.argv[2] ?? '{}') as HolderConfig) };
const log = openFileLog(join(config.stateDir, `${config.holder}.log`), Date.now);

closeInherited();
process.title = `concert-holder ${config.holder}`;
process.chdir('/');
process.on('SIGHUP', () => {});
process.on('SIGINT', () => {});
// Sixteen sessions are worth more than a tidy end: whatever went wrong concerns one of them at most.
process.on('uncaughtException', (error) => log.error('Went on after an error', { reason: error.stack }));
process.on('unhandledRejection', (error) => log.error('Went on after an error', { reason: String(error) }));

try {
  const holder = await Holder.open(config, {
    startChild,
    guard: new ShellOrphanGuard(),
    now: Date.now,
    log,
    onDone: () => process.exit(0),
  });
  process.on('SIGTERM', () => {
    log.info('Ending in order: the machine shuts down');
    holder.end(endMs).catch(() => process.exit(1));
  });
  log.info('Holding', { pid: process.pid, socket: config.socket, version: config.version });
} catch (error) {
  log.error('Cannot start', { reason: (error as Error).message });
  console.error((error as Error).message);
  process.exit(1);
}
