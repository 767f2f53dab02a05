/**
 * Text from a repository made safe to show inside one sentence: control characters, escapes, invisible characters and
 * direction overrides become `?`, and what is longer than `lengthMax` characters ends in `…`.
 */
export function printable(text: string, lengthMax = 120): string {
  const plain = text
    .slice(0, lengthMax * 4)
    .replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/g, '?')
    .replace(/\p{Surrogate}/gu, '?');
  const characters = [...plain];
  return characters.length <= lengthMax ? plain : `${characters.slice(0, lengthMax - 1).join('')}…`;
}

/** A name or path in double quotes, safe to show. */
export function quoted(text: string, lengthMax = 200): string {
  return `"${printable(text, lengthMax)}"`;
}

/** The first few names, then how many more there are: `"a.ts", "b.ts" and 5 more`. */
export function listed(names: readonly string[], shownMax = 3): string {
  const shown = names.slice(0, shownMax).map((name) => quoted(name, 80));
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}

/** `1 file`, `3 files`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
