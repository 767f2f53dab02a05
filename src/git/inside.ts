import { isAbsolute, relative, sep } from 'node:path';

/** True when `path` is `root` or lies below it, by the names alone: give both without symbolic links. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** True for `a/b` style paths that stay where they start: not empty, not absolute, no `..`, no NUL, nothing of git's own. */
export function isPlainRelative(path: string): boolean {
  if (path === '' || path.includes('\0') || path.includes('\\') || isAbsolute(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git');
}
