import { readFileSync } from 'node:fs';
import { ok, type Result, refuse } from '../base/index.ts';
import {
  type ConfigLayer,
  configKeys,
  type ErrorCode,
  type ResolvedConfig,
  resolveConfig,
  variableOf,
} from '../protocol/index.ts';
import type { Invocation } from './invocation.ts';

/** What the person's file says, unchecked; empty when there is none. */
export function readConfigFile(path: string): Result<Record<string, unknown>, ErrorCode> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ok({}) : refuse('config/invalid', `Cannot read the settings in "${path}" (${code})`);
  }
  return parseConfig(text, path);
}

export function parseConfig(text: string, path: string): Result<Record<string, unknown>, ErrorCode> {
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values === 'object' && values !== null && !Array.isArray(values))
      return ok(values as Record<string, unknown>);
  } catch (cause) {
    const { message } = cause as SyntaxError;
    return refuse(
      'config/invalid',
      `Line ${lineOf(message, text)} of "${path}" is not JSON; the file was left as it is`,
      'concert config edit',
    );
  }
  return refuse(
    'config/invalid',
    `The settings in "${path}" must be one JSON object; the file was left as it is`,
    'concert config edit',
  );
}

/** The person's file below the environment, over the defaults. */
export function readConfig(path: string, env: Invocation['env']): Result<ResolvedConfig, ErrorCode> {
  const file = readConfigFile(path);
  return file.ok ? resolve(file.value, path, env) : file;
}

export function resolve(
  values: Record<string, unknown>,
  path: string,
  env: Invocation['env'],
): Result<ResolvedConfig, ErrorCode> {
  const resolved = resolveConfig([{ source: 'user file', origin: path, values }, ...environmentLayers(env)]);
  return resolved.ok
    ? ok(resolved.value)
    : refuse('config/invalid', resolved.problems.join('; '), 'concert config edit');
}

function environmentLayers(env: Invocation['env']): ConfigLayer[] {
  return configKeys.flatMap((key): ConfigLayer[] => {
    const origin = variableOf(key);
    const text = env[origin];
    return text === undefined ? [] : [{ source: 'environment', origin, values: { [key]: readValue(text) } }];
  });
}

/** JSON where it is JSON; plain words need no quotes. */
export function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A plain word.
    return text;
  }
}

/** The parser tells the line, the position, or, at an unexpected end, neither. */
function lineOf(message: string, text: string): number {
  const line = /\(line (\d+) /.exec(message)?.[1];
  if (line !== undefined) return Number(line);
  const position = /position (\d+)/.exec(message)?.[1];
  return text.slice(0, position === undefined ? text.length : Number(position)).split('\n').length;
}
