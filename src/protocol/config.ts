import * as z from 'zod';

/**
 * Every setting with its one default. Flat dotted keys, so that a setting has the same name in the file, in
 * `concert config set` and in the reference page.
 */
export const configSchema = {
  slots: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(16)
    .describe('Sessions that may run at once on this host; further tasks wait in the queue'),
  'holder.sessionsMax': z
    .number()
    .int()
    .min(1)
    .max(256)
    .default(16)
    .describe('Sessions per holder process; 1 isolates each session completely'),
  'holder.retainMiB': z
    .number()
    .int()
    .min(1)
    .max(10_240)
    .default(64)
    .describe('Terminal output kept per session, whatever else happens'),
  'holder.capMiB': z
    .number()
    .int()
    .min(2)
    .max(20_480)
    .default(256)
    .describe('Kept output at which a session is paused until its screen has been saved'),
  'screen.workers': z
    .number()
    .int()
    .min(1)
    .max(16)
    .default(2)
    .describe('Worker threads that keep the screens of all sessions'),
  'session.memoryMaxMiB': z
    .number()
    .int()
    .min(64)
    .max(1_048_576)
    .nullable()
    .default(null)
    .describe('Memory limit of one agent and all it starts, where systemd can enforce it'),
  prefix: z
    .string()
    .regex(/^ctrl\+[a-z\]\\^_]$/, 'Use ctrl+ and a letter or one of ] \\ ^ _')
    .default('ctrl+]')
    .describe('The one key that an attached terminal takes from the agent'),
  'env.allow': z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/))
    .default([])
    .describe(
      'Further environment variables that sessions inherit from where they are started; a trailing * stands for any ending',
    ),
} as const;

export type ConfigKey = keyof typeof configSchema;
export type Config = { readonly [Key in ConfigKey]: z.output<(typeof configSchema)[Key]> };
export type ConfigSource = 'default' | 'user file' | 'environment' | 'flag';

export interface ConfigLayer {
  source: ConfigSource;
  /** Named in messages: a path, or the name of the variable. */
  origin: string;
  values: Readonly<Record<string, unknown>>;
}

export interface ResolvedConfig {
  config: Config;
  /** Where each value came from. */
  sources: Record<ConfigKey, { source: ConfigSource; origin: string }>;
}

export const configKeys = Object.keys(configSchema) as ConfigKey[];

/** Later layers win. Problems name the layer and, for an unknown key, the nearest known one; the config then does not count. */
export function resolveConfig(
  layers: readonly ConfigLayer[],
): { ok: true; value: ResolvedConfig } | { ok: false; problems: string[] } {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  const sources: Record<string, { source: ConfigSource; origin: string }> = {};
  for (const key of configKeys) {
    config[key] = configSchema[key].parse(undefined);
    sources[key] = { source: 'default', origin: 'default' };
  }
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer.values)) {
      if (!isConfigKey(key)) {
        problems.push(`Unknown setting "${key}" in ${layer.origin}: did you mean "${nearest(key)}"?`);
        continue;
      }
      const parsed = configSchema[key].safeParse(value);
      if (parsed.success) {
        config[key] = parsed.data;
        sources[key] = { source: layer.source, origin: layer.origin };
      } else {
        problems.push(
          `Setting "${key}" in ${layer.origin} is not usable: ${parsed.error.issues[0]?.message ?? 'wrong value'}`,
        );
      }
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: { config: Object.freeze(config) as Config, sources: sources as ResolvedConfig['sources'] },
  };
}

export function isConfigKey(key: string): key is ConfigKey {
  return Object.hasOwn(configSchema, key);
}

/** The variable that overrides a setting: `holder.retainMiB` is `CONCERT_HOLDER_RETAIN_MIB`. */
export function variableOf(key: ConfigKey): string {
  return `CONCERT_${key
    .replace('MiB', 'Mib')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace('.', '_')
    .toUpperCase()}`;
}

function nearest(key: string): string {
  let best: string = configKeys[0] ?? '';
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const known of configKeys) {
    const distance = editDistance(key.toLowerCase().slice(0, 64), known.toLowerCase());
    if (distance < bestDistance) {
      best = known;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
