import type { Invocation } from './invocation.ts';

/** Longest name and value the daemon takes. */
const nameLengthMax = 256;
const valueLengthMax = 131_072;

/** The environment a session may inherit from. The daemon takes what its list allows and keeps no secret on disk. */
export function callerEnvironment(env: Invocation['env']): Record<string, string> {
  const taken: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && name.length <= nameLengthMax && value.length <= valueLengthMax) taken[name] = value;
  }
  return taken;
}
