import type { Refusal, Result } from '../base/index.ts';
import { refuse } from '../base/index.ts';
import { GitError, isSystemError, spokenCause } from './git-error.ts';
import { printable, quoted } from './printable.ts';

/** Codes this folder refuses with; all stand in `protocol/error-codes.ts`. */
export type GitRefusalCode =
  | 'git/missing'
  | 'git/not-a-repository'
  | 'git/no-commits'
  | 'git/unknown-ref'
  | 'git/branch-in-use'
  | 'git/invalid-name'
  | 'git/unsafe-removal'
  | 'git/failed'
  | 'git/timeout'
  | 'project/untrusted'
  | 'project/invalid'
  | 'project/setup-failed'
  | 'disk/full'
  | 'disk/read-only';

export type GitResult<T> = Result<T, GitRefusalCode>;

/**
 * Runs `work` and turns failures with a known cause (full or read-only disk, no permission, repository gone, git
 * missing or too slow) into refusals that say what it means. Everything else is thrown on, unchanged.
 */
export async function explained<T>(work: () => Promise<GitResult<T>>): Promise<GitResult<T>> {
  try {
    return await work();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}

export function refusalOf(error: unknown): Refusal<GitRefusalCode> | undefined {
  if (error instanceof GitError) return ofGit(error);
  if (isSystemError(error)) return ofSystem(error, printable(error.message, 300));
  return undefined;
}

function ofGit(error: GitError): Refusal<GitRefusalCode> | undefined {
  if (error.code === 'git/missing')
    return refuse('git/missing', `${error.message}: git is not installed or not on the PATH`);
  if (error.code === 'git/timeout')
    return refuse('git/timeout', `${error.message}. Nothing was changed that the next try does not repair`);
  if (isSystemError(error.cause)) return ofCause(error, error.cause);

  const { stderr } = error;
  const cause = spokenCause(stderr);
  if (/not a git repository|invalid gitfile/.test(stderr))
    return refuse('git/not-a-repository', `${quoted(error.cwd)} is not in a git repository, or the repository is gone`);
  if (/detected dubious ownership/.test(stderr))
    return refuse(
      'git/failed',
      `Git refuses to work in ${quoted(error.cwd)}, because another user owns it`,
      `git config --global --add safe.directory <folder>, if you trust that user`,
    );
  if (/bad config|unable to read config|unable to parse .*config/.test(stderr))
    return refuse(
      'git/failed',
      `Git cannot read the configuration of ${quoted(error.cwd)}: ${cause}`,
      'Repair that file',
    );
  return ofText(stderr, cause);
}

/** The system's own word for why git could not even be started. */
function ofCause(error: GitError, cause: NodeJS.ErrnoException): Refusal<GitRefusalCode> | undefined {
  if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')
    return refuse('git/not-a-repository', `${error.message}: it is gone`);
  return ofSystem(cause, error.message);
}

function ofSystem(error: NodeJS.ErrnoException, message: string): Refusal<GitRefusalCode> | undefined {
  switch (error.code) {
    case 'EROFS':
      return refuse('disk/read-only', `The disk is read-only (${message}). Nothing was changed`);
    case 'ENOSPC':
    case 'EDQUOT':
      return refuse('disk/full', `The disk is full (${message}). What was there is kept`);
    case 'EACCES':
    case 'EPERM':
      return refuse('git/failed', `There is no permission (${message})`, 'Give yourself access to that path');
    default:
      return undefined;
  }
}

function ofText(stderr: string, cause: string): Refusal<GitRefusalCode> | undefined {
  if (/Read-only file system/.test(stderr))
    return refuse('disk/read-only', `The disk is read-only (git: ${cause}). Nothing was changed`);
  if (/No space left on device|Disk quota exceeded/.test(stderr))
    return refuse('disk/full', `The disk is full (git: ${cause}). What was there is kept`);
  // Git does not say why writing failed once a file was open; a full disk or quota is what it nearly always is.
  if (/unable to write (?:new )?(?:index )?file|failed to write|write error/.test(stderr))
    return refuse('disk/full', `The disk is full or failing (git: ${cause}). What was there is kept`);
  if (/Permission denied|Operation not permitted/.test(stderr))
    return refuse('git/failed', `There is no permission (git: ${cause})`, 'Give yourself access to that path');
  return undefined;
}
