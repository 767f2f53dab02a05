/**
 * Git repositories as places for sessions to work in: facts, worktrees, their safe removal, diffs, and what a project
 * may run there. Everything goes through the git binary.
 * Must never run a program that a repository names, unless the person trusted exactly that content.
 */

export { expireBackups, listBackups } from './backup.ts';
export { type ChangedFile, diffPatch, diffStat } from './diff.ts';
export { GitError } from './git-error.ts';
export { type ProjectContent, readProjectContent } from './project-content.ts';
export { type ProjectRunOptions, setUpWorktree, tearDownWorktree } from './project-setup.ts';
export {
  inspectRemoval,
  removeWorktree,
} from './removal.ts';
export { isSafe, spokenEvidence } from './removal-evidence.ts';
export { readRepository } from './repository.ts';
export type { GitProgram } from './repository-programs.ts';
export { createGit, type Git } from './run-git.ts';
export { createScriptRunner, type RunScript } from './run-script.ts';
export { sweepWorktrees } from './shelf.ts';
export { projectSlug } from './slug.ts';
export { readWorktreeStatus } from './status.ts';
export { TrustStore } from './trust.ts';
export { createWorktree, type Worktree } from './worktree.ts';
