import { ok, type Result, refuse } from '../base/index.ts';
import { quoted } from './printable.ts';

/** One part of a branch name becomes a file name, and git adds `.lock` to it; file systems end at 255 bytes. */
const componentBytesMax = 250;
const nameBytesMax = 1000;

/**
 * Accepts what `git check-ref-format --branch` accepts, decided without starting git, and refuses besides: `@`, which
 * git reads as HEAD, names too long for a file system, and text that is no valid Unicode. Refuses with `git/invalid-name` and the rule that was broken.
 */
export function validateBranchName(name: string): Result<string, 'git/invalid-name'> {
  const fault = faultOf(name);
  if (fault === undefined) return ok(name);
  return refuse('git/invalid-name', `${quoted(name, 80)} cannot be a branch name: ${fault}`);
}

function faultOf(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (/\p{Surrogate}/u.test(name)) return 'it is not valid Unicode';
  if (name.startsWith('-')) return 'it starts with a dash';
  if (name === '@' || name === 'HEAD') return 'git keeps that word for itself';
  if (/[\u0000-\u0020\u007f]/.test(name)) return 'it has a space or a control character';
  if (/[~^:?*[\\]/.test(name)) return 'it has one of ~ ^ : ? * [ \\';
  if (name.includes('..')) return 'it has two dots in a row';
  if (name.includes('@{')) return 'it has @{';
  if (name.endsWith('.')) return 'it ends with a dot';
  for (const component of name.split('/')) {
    if (component === '') return 'it has an empty part between slashes';
    if (component.startsWith('.')) return 'a part of it starts with a dot';
    if (component.endsWith('.lock')) return 'a part of it ends with .lock';
    if (Buffer.byteLength(component) > componentBytesMax) return 'a part of it is too long for a file name';
  }
  if (Buffer.byteLength(name) > nameBytesMax) return 'it is too long';
  return undefined;
}
