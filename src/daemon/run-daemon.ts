import { readFileSync } from 'node:fs';
import { layOutHome } from '../protocol/index.ts';
import { startDaemon } from './daemon.ts';
import { findEntries } from './entries.ts';
import { stderrLog } from './file-log.ts';
import { tellStarter } from './ready-line.ts';
import { startFailure } from './start-failure.ts';
import { StartRecord } from './start-record.ts';

/**
 * The daemon as a process: starts it, tells whoever waits, and stays until it is asked to end. Answers the exit code.
 * SIGTERM, SIGINT and a stop request end it in order; anything unforeseen ends it at once, and sessions live on either way.
 */
export async function runDaemon(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const ended = Promise.withResolvers<number>();
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', () => ended.resolve(0));
  process.on('SIGINT', () => ended.resolve(0));
  const uid = process.getuid?.() ?? 0;
  const { startsFile } = layOutHome(env, uid);
  const die = dieWith(startsFile);
  process.on('uncaughtException', (error) => die('An error nobody foresaw', error));
  process.on('unhandledRejection', (error) => die('A promise nobody waited for failed', error as Error));
  process.title = 'concert-daemon';

  const started = await startDaemon({
    env: withoutUndefined(env),
    uid,
    version: readVersion(),
    entries: findEntries(import.meta.url),
    onEnd(reason) {
      stderrLog.info('Ending', { reason });
      ended.resolve(0);
    },
  }).catch((error: unknown) => {
    stderrLog.error('Could not start', { error: (error as Error).stack ?? String(error) });
    const failure = startFailure(error);
    // A full disk, or a home in disorder, is no crash of ours.
    if (failure.code !== 'daemon/internal') new StartRecord(startsFile).excused();
    return failure;
  });
  if (!started.ok) {
    stderrLog.error(started.message, { code: started.code });
    tellStarter(started);
    return 1;
  }
  await using daemon = started.value;
  stderrLog.info('Serving', { pid: process.pid, epoch: daemon.epoch });
  tellStarter({ ok: true, pid: process.pid, epoch: daemon.epoch });
  return await ended.promise;
}

/** A daemon in an unknown state must not go on deciding; the next one starts from the journal. */
function dieWith(startsFile: string): (message: string, error: Error) => never {
  return (message, error) => {
    stderrLog.error(message, { error: error?.stack ?? String(error) });
    new StartRecord(startsFile).crashed(Date.now());
    process.exit(70);
  };
}

function readVersion(): string {
  const files = ['./version.json', '../../package.json'];
  for (const file of files) {
    try {
      const { version, buildId } = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as {
        version: string;
        buildId?: string;
      };
      return buildId === undefined ? version : `${version}+${buildId}`;
    } catch {
      // Not built, or not from source: the other file is there.
    }
  }
  return '0.0.0';
}

function withoutUndefined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
