import { createHash } from 'node:crypto';
import { basename } from 'node:path';

/** Long enough to recognise, short enough for a list and for folders inside folders. */
export const slugLengthMax = 40;
/** A name is read this far; what follows never makes it into 40 characters. */
const readCharactersMax = 400;

/**
 * A safe folder name and branch component from any text: lower case ASCII letters and digits joined by single dashes,
 * 1 to 40 characters. Text without a single usable character becomes `session-` and six digits of its hash, so that
 * two tasks written in another script still differ.
 */
export function toSlug(text: string): string {
  const words = text
    .slice(0, readCharactersMax)
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  const slug = trimDashes(trimDashes(words).slice(0, slugLengthMax));
  if (slug !== '') return slug;
  return text === '' ? 'session' : `session-${hashOf(text, 6)}`;
}

/** `fix-login` and 2 give `fix-login-2`, never longer than `slugLengthMax`. */
export function withSuffix(slug: string, suffix: number): string {
  const end = `-${suffix}`;
  return trimDashes(slug.slice(0, slugLengthMax - end.length)) + end;
}

/** Folder of a project's worktrees: its name to recognise, a hash of its whole path to tell two of one name apart. */
export function projectSlug(projectRoot: string): string {
  const name =
    basename(projectRoot) === '.git' ? basename(projectRoot.slice(0, -'/.git'.length)) : basename(projectRoot);
  return withSuffixText(toSlug(name.replace(/\.git$/, '')), hashOf(projectRoot, 8));
}

export function isSlug(text: string): boolean {
  return text.length <= slugLengthMax && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text);
}

function withSuffixText(slug: string, end: string): string {
  return `${trimDashes(slug.slice(0, slugLengthMax - end.length - 1))}-${end}`;
}

function trimDashes(text: string): string {
  return text.replace(/^-+|-+$/g, '');
}

function hashOf(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
