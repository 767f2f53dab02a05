import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunDocument } from '../../src/protocol/index.ts';
import { BuiltDaemon, isAlive } from '../support/built-daemon.ts';

const printer = resolve(import.meta.dirname, 'printer.ts');
/** How long after it is ready a daemon may live before it is shot: from at once to well into ordinary work. */
const lifeMsMax = 400;
/** Far more than a run prints; printers end when told to. */
const endless = 1e12;

export interface KillReport {
  kills: number;
  sessions: number;
  tasksAcknowledged: number;
  tasksLost: number;
  sessionsLost: number;
  bytesChecked: number;
  /** Sessions whose log is not what their child printed, byte for byte. */
  unequalLogs: number;
  readyMs: { p50: number; p99: number; max: number };
}

/**
 * Shoots the daemon again and again while sessions print and tasks are being asked for. Every task whose start was
 * acknowledged must be there afterwards, every session must live on, and every log must be what its child wrote.
 */
export async function killDaemons(options: {
  folder: string;
  kills: number;
  sessions: number;
  seed: number;
  onKill?: (done: number) => void;
}): Promise<KillReport> {
  const { folder, kills, sessions, seed } = options;
  const chance = random(seed);
  const results = join(folder, 'results');
  mkdirSync(results, { recursive: true });
  await using daemon = new BuiltDaemon(join(folder, 'home'), { CONCERT_SLOTS: String(sessions) });
  await start(daemon);

  const acknowledged: RunDocument[] = [];
  for (let i = 0; i < sessions; i++) {
    acknowledged.push(
      await daemon.json<RunDocument>('POST', '/v1/tasks', {
        cwd: folder,
        inPlace: true,
        name: `printer-${i}`,
        agent: 'generic',
        argv: [process.execPath, printer, join(results, String(i)), String(seed + i), '600', '25', String(endless)],
        env: { PATH: process.env['PATH'] ?? '' },
      }),
    );
  }
  const printers = acknowledged.map(({ session }) => session ?? '');
  const queued: RunDocument[] = [];
  const readyMs: number[] = [];

  for (let kill = 0; kill < kills; kill++) {
    const asking = askForTask(daemon, folder, kill).then(
      (document) => void queued.push(document),
      () => {
        // Shot before it could answer: then the task may exist or not, and neither is wrong.
      },
    );
    await new Promise((wake) => setTimeout(wake, chance() * lifeMsMax));
    await daemon.kill();
    await asking;
    const before = performance.now();
    await start(daemon);
    readyMs.push(performance.now() - before);
    options.onKill?.(kill + 1);
  }

  // The last life must be long enough to finish what the kills before interrupted.
  await until(async () => (await daemon.sessions()).every(({ state }) => state !== 'starting'));
  const { documents } = await daemon.json<{ documents: { kind: string; key: string }[] }>('GET', '/v1/snapshot');
  const known = new Set(documents.map(({ key }) => key));
  const tasksLost = queued.filter(({ task, session }) => !known.has(task) && !known.has(session ?? '')).length;
  const alive = new Map((await daemon.sessions()).map((document) => [document.id, document]));
  const sessionsLost = printers.filter((id) => {
    const document = alive.get(id);
    return document?.pid == null || !isAlive(document.pid) || document.state === 'lost';
  }).length;

  let bytesChecked = 0;
  let unequalLogs = 0;
  for (const [index, id] of printers.entries()) {
    const pid = alive.get(id)?.pid;
    if (pid != null) process.kill(pid, 'SIGTERM');
    const written = await resultOf(join(results, String(index)));
    await until(async () => (await daemon.sessions()).find((document) => document.id === id)?.pid === null);
    const { body } = await daemon.get(`/v1/sessions/${id}/log`);
    bytesChecked += body.length;
    if (body.length !== written.length || createHash('sha256').update(body).digest('hex') !== written.sha256)
      unequalLogs++;
  }
  return {
    kills,
    sessions,
    tasksAcknowledged: queued.length + sessions,
    tasksLost,
    sessionsLost,
    bytesChecked,
    unequalLogs,
    readyMs: { p50: quantile(readyMs, 0.5), p99: quantile(readyMs, 0.99), max: quantile(readyMs, 1) },
  };
}

async function start(daemon: BuiltDaemon): Promise<void> {
  const ready = await daemon.start();
  if (!ready.ready) throw new Error(`The daemon did not start: ${ready.message}\n${daemon.log()}`);
}

/** All slots are taken by printers, so these wait in the queue. */
function askForTask(daemon: BuiltDaemon, folder: string, kill: number): Promise<RunDocument> {
  return daemon.json<RunDocument>('POST', '/v1/tasks', {
    cwd: folder,
    inPlace: true,
    title: `queued ${kill}`,
    agent: 'generic',
    argv: ['true'],
    env: {},
  });
}

async function resultOf(path: string): Promise<{ length: number; sha256: string }> {
  await until(() => Promise.resolve(existsSync(path)));
  return JSON.parse(readFileSync(path, 'utf8')) as { length: number; sha256: string };
}

/** For what only the outside shows: a file of another process, a document of the daemon. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 3000; look++) {
    if (await holds()) return;
    await new Promise((wake) => setTimeout(wake, 10));
  }
  throw new Error('What was waited for did not happen within 30 s');
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0);
}

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
