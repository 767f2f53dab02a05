import { printable } from './printable.ts';

export type GitErrorCode = 'git/missing' | 'git/failed' | 'git/timeout';

export interface GitFailureFacts {
  argv: readonly string[];
  cwd: string;
  /** Null when git did not end by itself. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The last part of what git wrote there, in the C locale. Untrusted: it quotes names from the repository. */
  stderr: string;
}

/** A call of git that did not do what it was asked. `cause` is the error of the operating system, where there was one. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly code: GitErrorCode;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;

  constructor(code: GitErrorCode, message: string, facts: GitFailureFacts, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.argv = facts.argv;
    this.cwd = facts.cwd;
    this.exitCode = facts.exitCode;
    this.signal = facts.signal;
    this.stderr = facts.stderr;
  }

  /** True when the same call may work in a moment, unchanged. */
  get retryable(): boolean {
    return this.code === 'git/timeout' || isMomentary(this.stderr);
  }
}

/**
 * Failures worth waiting for: another git holds a lock file that it removes when it is done, or is just writing the
 * entry of a new worktree, which a git that lists worktrees then finds half there.
 */
export function isMomentary(stderr: string): boolean {
  return (
    /Unable to create '.*\.lock': File exists/s.test(stderr) ||
    /could not lock config file .*: File exists/s.test(stderr) ||
    /failed to read .*worktrees\/.*\/commondir/s.test(stderr)
  );
}

/** What git said first about why it failed, without its `fatal:`; safe to show. */
export function spokenCause(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((text) => /^(?:fatal|error):/.test(text)) ?? lines.at(-1) ?? 'it gave no reason';
  return printable(line.replace(/^(?:fatal|error): */, ''), 300);
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
