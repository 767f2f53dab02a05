import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { type Clock, ok, type Refusal, type Result, refuse } from '../base/index.ts';
import { plainLine } from '../client/index.ts';
import { type ErrorCode, errorCodes, type Home } from '../protocol/index.ts';
import { within } from './clock.ts';
import { downMarker } from './down-marker.ts';
import type { Invocation } from './invocation.ts';
import { whenFolder } from './when-folder.ts';

/** The daemon's log is set aside at this size when a daemon starts; one older log is kept. */
const logBytesMax = 5 * 1024 * 1024;
/** A daemon that has not said how its start went by then is left alone and reported. */
const startMsMax = 10_000;
/** Further starts when the daemon in place turns out to be ending. */
const startsMax = 2;

type Starter = Pick<Invocation, 'program' | 'env'>;

/**
 * Starts the daemon detached from this process and its terminal, and waits until it says on its fourth descriptor that
 * it serves, or why not. One that another call is starting at this moment is waited for; one that is ending is followed
 * by a new one.
 */
export async function startDaemon(invocation: Starter, home: Home, clock: Clock): Promise<Result<null, ErrorCode>> {
  for (let attempt = 0; ; attempt++) {
    const started = await startOnce(invocation, home, clock);
    if (started.ok || started.code !== 'daemon/already-running' || attempt === startsMax) return started;
    let isUp = false;
    await whenFolder({ clock, folder: home.run, ms: startMsMax }, async () => {
      isUp = await listens(home);
      return isUp || !existsSync(home.daemonFile);
    });
    if (isUp) return ok(null);
  }
}

async function startOnce({ program, env }: Starter, home: Home, clock: Clock): Promise<Result<null, ErrorCode>> {
  const log = openLog(home);
  if (!log.ok) return log;
  rmSync(downMarker(home), { force: true });
  const child = spawn(program[0], [...program.slice(1), 'daemon'], {
    cwd: '/',
    env: { ...env },
    detached: true,
    stdio: ['ignore', log.value, log.value, 'pipe'],
  });
  closeSync(log.value);
  child.unref();
  const failed = new Promise<string>((resolve) => child.once('error', ({ message }) => resolve(message)));
  const ready = child.stdio[3] as Readable;
  const word = await within(clock, startMsMax, Promise.race([failed, readLine(ready)]));
  ready.destroy();
  if (word === undefined) {
    return refuse(
      'daemon/not-running',
      `The daemon did not become ready within ${startMsMax / 1000} s; running sessions go on`,
      `See ${home.daemonLog}`,
    );
  }
  const said = parse(word);
  return said?.ready === true ? ok(null) : refusalOf(said, home);
}

function refusalOf(said: Word | null, home: Home): Refusal<ErrorCode> {
  if (said !== null) {
    const code = said.code ?? '';
    return Object.hasOwn(errorCodes, code)
      ? refuse(code as ErrorCode, said.message ?? 'The daemon did not start', said.hint)
      : refuse('daemon/not-running', said.message ?? 'The daemon did not start', said.hint);
  }
  const last = plainLine(lastLine(home.daemonLog), 200);
  return refuse(
    'daemon/not-running',
    `The daemon ended while it was starting${last === '' ? '' : ` (${last})`}; running sessions go on`,
    `See ${home.daemonLog}`,
  );
}

function openLog(home: Home): Result<number, ErrorCode> {
  try {
    mkdirSync(dirname(home.daemonLog), { recursive: true, mode: 0o700 });
    const log = openSync(home.daemonLog, 'a', 0o600);
    if (fstatSync(log).size < logBytesMax) return ok(log);
    closeSync(log);
    renameSync(home.daemonLog, `${home.daemonLog}.1`);
    return ok(openSync(home.daemonLog, 'a', 0o600));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const refused = `The daemon cannot start: "${home.daemonLog}" cannot be written (${code}); running sessions go on`;
    if (code === 'ENOSPC') return refuse('disk/full', refused);
    if (code === 'EROFS') return refuse('disk/read-only', refused);
    return refuse('home/unusable', refused);
  }
}

/** The first line, or what came before the pipe closed. */
async function readLine(stream: Readable): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stream) {
      text += String(chunk);
      if (text.includes('\n')) break;
    }
  } catch {
    // A pipe that breaks says as little as one that closes empty.
  }
  return text;
}

/** Whether something listens on the socket at this moment. */
function listens(home: Home): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(home.socket);
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

interface Word {
  ready?: boolean;
  code?: string;
  message?: string;
  hint?: string;
}

function parse(word: string): Word | null {
  try {
    return JSON.parse(word);
  } catch {
    // Nothing, or something that is not the daemon's line.
    return null;
  }
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  } catch {
    // Without a log there is only less to say.
    return '';
  }
}
