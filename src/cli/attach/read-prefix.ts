import { existsSync } from 'node:fs';
import type { Call } from '../call.ts';

/** As in the settings' schema, which is not loaded for it: an attach has no time for that. */
export const defaultPrefix = 'ctrl+]';

/** The key that is ours. Settings that cannot be read are told and do without: attaching must always work. */
export async function readPrefix(call: Call): Promise<string> {
  const { home, invocation } = call;
  if (invocation.env['CONCERT_PREFIX'] === undefined && !existsSync(home.configFile)) return defaultPrefix;
  const { readConfig } = await import('../config-file.ts');
  const resolved = readConfig(home.configFile, invocation.env);
  if (resolved.ok) return resolved.value.config.prefix;
  call.tell(`${resolved.message}. The prefix is ${defaultPrefix}`);
  return defaultPrefix;
}
