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

/** Flags, then environment, then the person's file, then defaults; read once, then frozen. */
export function loadConfig(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Result<ResolvedConfig, ErrorCode> {
  const file = readLayer(path);
  if (!file.ok) return file;
  const resolved = resolveConfig([file.value, ...environmentLayers(env)]);
  if (resolved.ok) return ok(resolved.value);
  return refuse('config/invalid', `${resolved.problems[0]}; the daemon did not start, running sessions go on`);
}

function readLayer(path: string): Result<ConfigLayer, ErrorCode> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      return ok({ source: 'user file', origin: path, values: {} });
    return refuse('config/invalid', `Cannot read the settings in "${path}" (${(cause as NodeJS.ErrnoException).code})`);
  }
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
      return ok({ source: 'user file', origin: path, values: values as Record<string, unknown> });
    }
  } catch (cause) {
    return refuse('config/invalid', `The settings in "${path}" are not JSON: ${(cause as Error).message}`);
  }
  return refuse('config/invalid', `The settings in "${path}" must be one JSON object`);
}

function environmentLayers(env: Readonly<Record<string, string | undefined>>): ConfigLayer[] {
  const layers: ConfigLayer[] = [];
  for (const key of configKeys) {
    const text = env[variableOf(key)];
    if (text === undefined) continue;
    let value: unknown = text;
    try {
      value = JSON.parse(text);
    } catch {
      // Plain words need no quotes in a variable.
    }
    layers.push({ source: 'environment', origin: variableOf(key), values: { [key]: value } });
  }
  return layers;
}
