import { join, resolve } from 'node:path';
import type { RunDocument } from '../../src/protocol/index.ts';
import { BuiltDaemon, isAlive } from '../support/built-daemon.ts';

const printer = resolve(import.meta.dirname, 'printer.ts');

export interface HolderKillReport {
  kills: number;
  /** Sessions not called `lost` within 2 s. */
  notReported: number;
  /** Logs that could not be read to their last record. */
  unreadableLogs: number;
  /** Children alive 2 s after their holder was shot. */
  orphans: number;
  lostAfterMs: { max: number };
}

/** Shoots the holder of a printing session, one session at a time. */
export async function killHolders(options: {
  folder: string;
  kills: number;
  onKill?: (done: number) => void;
}): Promise<HolderKillReport> {
  const { folder, kills } = options;
  await using daemon = new BuiltDaemon(join(folder, 'home'));
  const ready = await daemon.start();
  if (!ready.ready) throw new Error(`The daemon did not start: ${ready.message}`);
  const report: HolderKillReport = { kills, notReported: 0, unreadableLogs: 0, orphans: 0, lostAfterMs: { max: 0 } };
  for (let kill = 0; kill < kills; kill++) {
    const { session } = await daemon.json<RunDocument>('POST', '/v1/tasks', {
      cwd: folder,
      inPlace: true,
      agent: 'generic',
      // A child that ignores the hang-up must end all the same.
      argv: [
        'sh',
        '-c',
        'trap "" HUP; exec "$@"',
        'sh',
        process.execPath,
        printer,
        join(folder, `result-${kill}`),
        '1',
        '200',
        '5',
        '1e12',
      ],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    const id = session ?? '';
    const printing = await documentOf(daemon, id, (document) => document.pid !== null, 5000);
    await enoughBytes(daemon, id, 2000);
    const { pid, holderPid } = printing;
    if (pid === null || holderPid === null) throw new Error('The session has no process');
    const before = performance.now();
    process.kill(holderPid, 'SIGKILL');
    try {
      await documentOf(daemon, id, (document) => document.state === 'lost', 2000);
      report.lostAfterMs.max = Math.max(report.lostAfterMs.max, Math.round(performance.now() - before));
    } catch {
      report.notReported++;
    }
    const log = await daemon.get(`/v1/sessions/${id}/log`);
    if (log.status !== 200 || log.body.length < 2000) report.unreadableLogs++;
    if (!(await endsWithin(pid, 2000))) report.orphans++;
    options.onKill?.(kill + 1);
  }
  return report;
}

async function documentOf(
  daemon: BuiltDaemon,
  id: string,
  holds: (document: Awaited<ReturnType<BuiltDaemon['sessions']>>[number]) => boolean,
  withinMs: number,
) {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const document = (await daemon.sessions()).find((each) => each.id === id);
    if (document !== undefined && holds(document)) return document;
    if (performance.now() > deadline) throw new Error(`Session ${id} is ${document?.state}: ${document?.why}`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

async function enoughBytes(daemon: BuiltDaemon, id: string, bytes: number): Promise<void> {
  for (let look = 0; look < 500; look++) {
    if ((await daemon.get(`/v1/sessions/${id}/log`)).body.length >= bytes) return;
    await new Promise((wake) => setTimeout(wake, 10));
  }
  throw new Error(`Session ${id} printed less than ${bytes} bytes in 5 s`);
}

async function endsWithin(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await new Promise((wake) => setTimeout(wake, 10));
  }
  return true;
}
