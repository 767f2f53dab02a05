import type { FleetState } from './state.ts';

/** Names stay readable in a list. */
export const nameLengthMax = 48;
export const titleLengthMax = 120;

/** Controls, format characters (direction overrides, zero widths, tags), line ends, halves of characters, letters without a shape. */
const notPlain = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u2800\u3164\uffa0]+/gu;

/**
 * Text from outside made safe to show on one line: what does not print or changes the direction becomes a space, runs of
 * space one, and what is longer than `lengthMax` characters ends in `…`.
 */
export function plainLine(text: string, lengthMax: number): string {
  const head = text.slice(0, lengthMax * 8);
  const plain = head.replace(notPlain, ' ').replace(/\s+/g, ' ').trim();
  const characters = [...plain];
  return characters.length <= lengthMax
    ? plain
    : `${characters
        .slice(0, lengthMax - 1)
        .join('')
        .trimEnd()}…`;
}

/** Lower case ASCII words joined by dashes, at most 40 characters, never empty: safe as a folder and a git branch. */
export function slugOf(text: string): string {
  const slug = text
    .slice(0, 400)
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return slug === '' ? 'session' : slug;
}

/** A name no living session has: `fix-login`, then `fix-login-2`. Digits alone would read as a tab, so they get a prefix. */
export function freeName(state: FleetState, wanted: string): string {
  const names = new Set<string>();
  for (const session of state.sessions.values()) names.add(session.name);
  const base = /^\d+$/.test(wanted) ? `session-${wanted}` : wanted;
  if (!names.has(base)) return base;
  for (let n = 2; ; n++) {
    const suffix = `-${n}`;
    const name = `${[...base].slice(0, nameLengthMax - suffix.length).join('')}${suffix}`;
    if (!names.has(name)) return name;
  }
}

export function freeSlug(state: FleetState, wanted: string): string {
  const slugs = new Set<string>();
  for (const session of state.sessions.values()) slugs.add(session.slug);
  if (!slugs.has(wanted)) return wanted;
  for (let n = 2; ; n++) if (!slugs.has(`${wanted}-${n}`)) return `${wanted}-${n}`;
}
