import type { FleetState } from './state.ts';

/** Names stay readable in a list. */
export const nameLengthMax = 48;
export const titleLengthMax = 120;

/**
 * Text from outside made safe to show on one line: control characters, escapes and direction overrides become spaces,
 * runs of space one, and what is too long ends in `…`.
 */
export function plainLine(text: string, lengthMax: number): string {
  const head = text.slice(0, lengthMax * 8);
  const plain = head
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...plain];
  return characters.length <= lengthMax ? plain : `${characters.slice(0, lengthMax - 1).join('')}…`;
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
  for (let n = 2; ; n++) if (!names.has(`${base}-${n}`)) return `${base}-${n}`;
}

export function freeSlug(state: FleetState, wanted: string): string {
  const slugs = new Set<string>();
  for (const session of state.sessions.values()) slugs.add(session.slug);
  if (!slugs.has(wanted)) return wanted;
  for (let n = 2; ; n++) if (!slugs.has(`${wanted}-${n}`)) return `${wanted}-${n}`;
}
