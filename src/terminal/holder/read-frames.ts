import { constants } from 'node:os';
import { isAbsolute } from 'node:path';
import type {
  HolderClose,
  HolderGrant,
  HolderHello,
  HolderRevoke,
  HolderSignal,
  HolderStart,
  HolderSubscribe,
} from '../../protocol/index.ts';

/** Columns and rows are below this: an emulator pays for each cell. */
export const sizeMax = 4096;

/**
 * Checks of what arrives as JSON. By hand and without a library: a holder is small, and outlives the daemon whose
 * frames it reads. Each throws `BadFrame` with a sentence that names the field.
 */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
}

export function readHello(value: unknown): HolderHello {
  const hello = fields(value);
  const { role, ticket } = hello;
  if (role !== 'daemon' && role !== 'screen' && role !== 'terminal') throw new BadFrame('"role" is unknown');
  return {
    protocol: whole(hello, 'protocol'),
    role,
    ...(ticket === undefined ? {} : { ticket: text(hello, 'ticket') }),
  };
}

export function readStart(value: unknown): HolderStart {
  const start = fields(value);
  const name = text(start, 'name');
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) throw new BadFrame('"name" is not a plain name');
  const { argv, env, io, stderr, oomScoreAdj } = start;
  if (!Array.isArray(argv) || argv.length === 0 || !argv.every(isText))
    throw new BadFrame('"argv" is no list of texts');
  if (io !== 'pty' && io !== 'pipes') throw new BadFrame('"io" is unknown');
  if (stderr !== undefined && stderr !== 'merged' && stderr !== 'logged') throw new BadFrame('"stderr" is unknown');
  return {
    requestId: whole(start, 'requestId'),
    session: text(start, 'session', 64),
    incarnation: whole(start, 'incarnation', 1),
    name,
    argv,
    cwd: absolutePath(start, 'cwd'),
    env: readEnv(env),
    io,
    ...(stderr === undefined ? {} : { stderr }),
    columns: whole(start, 'columns', 1, sizeMax),
    rows: whole(start, 'rows', 1, sizeMax),
    logDir: absolutePath(start, 'logDir'),
    retainBytes: whole(start, 'retainBytes'),
    capBytes: whole(start, 'capBytes', 1),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj: whole(start, 'oomScoreAdj', -1000, 1000) }),
  };
}

export function readSubscribe(value: unknown): HolderSubscribe {
  const subscribe = fields(value);
  return {
    from: whole(subscribe, 'from'),
    credit: whole(subscribe, 'credit'),
    coalesceMs: whole(subscribe, 'coalesceMs', 0, 1000),
  };
}

export function readSignal(value: unknown): HolderSignal & { signal: NodeJS.Signals } {
  const request = fields(value);
  const signal = text(request, 'signal');
  if (!Object.hasOwn(constants.signals, signal)) throw new BadFrame('"signal" is unknown');
  const { target } = request;
  if (target !== 'group' && target !== 'child') throw new BadFrame('"target" is unknown');
  return { requestId: whole(request, 'requestId'), signal: signal as NodeJS.Signals, target };
}

export function readGrant(value: unknown): HolderGrant {
  const grant = fields(value);
  const ticket = text(grant, 'ticket');
  if (!/^[0-9a-f]{32,128}$/.test(ticket)) throw new BadFrame('"ticket" is not at least 128 bit in hexadecimal');
  const { mode } = grant;
  if (mode !== 'drive' && mode !== 'view') throw new BadFrame('"mode" is unknown');
  return { requestId: whole(grant, 'requestId'), ticket, mode };
}

export function readRevoke(value: unknown): HolderRevoke & { requestId: number } {
  const revoke = fields(value);
  const requestId = whole(revoke, 'requestId');
  return revoke['ticket'] === undefined ? { requestId } : { requestId, ticket: text(revoke, 'ticket') };
}

export function readClose(value: unknown): HolderClose {
  return { requestId: whole(fields(value), 'requestId') };
}

function readEnv(value: unknown): Record<string, string> {
  const entries = Object.entries(fields(value)).map(([name, content]): [string, string] => {
    if (!isText(content) || name === '' || name.includes('=') || name.includes('\0')) {
      throw new BadFrame('"env" holds something that is no variable');
    }
    return [name, content];
  });
  return Object.fromEntries(entries);
}

function fields(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadFrame('It is no JSON object');
  return value as Record<string, unknown>;
}

function whole(source: Record<string, unknown>, key: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  const value = source[key];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new BadFrame(`"${key}" is no whole number from ${min} to ${max}`);
  }
  return value;
}

function text(source: Record<string, unknown>, key: string, lengthMax = 4096): string {
  const value = source[key];
  if (!isText(value) || value === '' || value.length > lengthMax) throw new BadFrame(`"${key}" is no text`);
  return value;
}

function absolutePath(source: Record<string, unknown>, key: string): string {
  const path = text(source, key);
  if (!isAbsolute(path)) throw new BadFrame(`"${key}" is no absolute path`);
  return path;
}

/** The system ends texts at a NUL: one inside would silently cut an argument. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}
