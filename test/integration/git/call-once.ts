/**
 * One call of the git folder in a process of its own, so that a test can kill it or run it as another user.
 * Argument: JSON {call: 'create' | 'remove' | 'diff', binary?, env, options}. Prints "calling", then the result, or the
 * `GitError` that was thrown, as JSON.
 */
import { createGit, createWorktree, diffStat, GitError, removeWorktree } from '../../../src/git/index.ts';
import { realClock } from './workbench.ts';

const { call, binary, env, options } = JSON.parse(process.argv[2] ?? '');
const git = createGit({ ...(binary === undefined ? {} : { binary }), env, clock: realClock });
const calls = { create: createWorktree, remove: removeWorktree, diff: diffStat };
process.stdout.write('calling\n');
const result = await calls[call as keyof typeof calls](git, options).catch((error: unknown) => {
  if (error instanceof GitError) return { thrown: error.code, message: error.message };
  throw error;
});
process.stdout.write(JSON.stringify(result));
