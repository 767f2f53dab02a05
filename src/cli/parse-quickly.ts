import type { QuickShape } from './verb.ts';

/** Options that every verb takes and that may also stand before it. */
export const commonFlags: ReadonlySet<string> = new Set([
  '--json',
  '-q',
  '--quiet',
  '-v',
  '--verbose',
  '--no-color',
  '--yes',
  '-y',
]);

/** What `parseVerb` would answer, for calls of the usual form; null for any other. */
export function parseQuickly(
  { args: [least, most], flags, defaults }: QuickShape,
  argv: readonly string[],
): { args: string[]; options: Record<string, unknown>; rest: string[] } | null {
  const args: string[] = [];
  const options: Record<string, unknown> = { ...defaults };
  for (const word of argv) {
    if (!word.startsWith('-')) args.push(word);
    else if (flags.includes(word)) options[word.slice(2)] = true;
    else if (!commonFlags.has(word)) return null;
  }
  return args.length >= least && args.length <= most ? { args, options, rest: [] } : null;
}
