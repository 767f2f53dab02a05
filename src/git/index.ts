/**
 * Git repositories as places for sessions to work in: facts, worktrees, their safe removal, diffs, and what a project
 * may run there. Everything goes through the git binary.
 * Must never run a program that a repository names, unless the person trusted exactly that content.
 */

export { type Backup, expireBackups, listBackups } from './backup.ts';
export { validateBranchName } from './branch-name.ts';
export { type ChangedFile, type DiffOptions, type DiffStat, diffPatch, diffStat } from './diff.ts';
export { GitError } from './git-error.ts';
export { type ProjectConfig, projectConfigPath } from './project-config.ts';
export { type ContentPart, type ProjectContent, readProjectContent } from './project-content.ts';
export { type ProjectRun, type ProjectRunOptions, setUpWorktree, tearDownWorktree } from './project-setup.ts';
export type { GitRefusalCode, GitResult } from './refusals.ts';
export {
  inspectRemoval,
  type RemovalOptions,
  type RemovedWorktree,
  type RemoveWorktreeOptions,
  removeWorktree,
} from './removal.ts';
export { isSafe, type RemovalEvidence, spokenEvidence } from './removal-evidence.ts';
export { type Repository, readRepository } from './repository.ts';
export type { GitProgram } from './repository-programs.ts';
export { createGit, type Git, type GitOptions } from './run-git.ts';
export { createScriptRunner, type RunScript, type ScriptEnd, type ScriptRun } from './run-script.ts';
export { sweepWorktrees } from './shelf.ts';
export { projectSlug, toSlug } from './slug.ts';
export { dirtyFiles, readWorktreeStatus, type Status, type StatusOptions } from './status.ts';
export { TrustStore, type TrustVerdict } from './trust.ts';
export { type CreateWorktreeOptions, createWorktree, type Worktree } from './worktree.ts';
