import { mkdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assert, type Clock, ok, type Result } from '../base/index.ts';
import type { FleetState, Session, WorktreeFacts } from '../fleet/index.ts';
import { createWorktree, diffPatch, diffStat, type Git, type ProjectTrust, readRepository, removeWorktree } from '../git/index.ts';
import type { DiffDocument, ErrorCode, Home } from '../protocol/index.ts';
import type { TrustAnswer } from '../server/index.ts';
import { sessionFolder } from './home.ts';

export interface WorkspacesOptions {
  home: Home;
  git: Git;
  clock: Clock;
  state: FleetState;
  trust: ProjectTrust;
}

/** Where a task is to be worked on, found out before it is acknowledged so that a refusal comes at once. */
export interface Place {
  project: { root: string; name: string };
  inPlace: boolean;
}

/** The folders sessions work in: found, made, compared, removed. The git rules live in `git/`, this knows the fleet's side. */
export class Workspaces {
  readonly #options: WorkspacesOptions;

  constructor(options: WorkspacesOptions) {
    this.#options = options;
  }

  /** A plain command outside any repository works in place; everything else without `--in-place` needs a repository with a commit. */
  async placeOf(cwd: string, inPlace: boolean, isPlainCommand: boolean): Promise<Result<Place, ErrorCode>> {
    const repository = await readRepository(this.#options.git, cwd);
    if (!repository.ok) {
      const mayGoWithout = inPlace || (isPlainCommand && repository.code === 'git/not-a-repository');
      if (!mayGoWithout) return repository;
      const root = await realpath(cwd);
      return ok({ project: { root, name: basename(root) || 'root' }, inPlace: true });
    }
    const { root, head } = repository.value;
    if (!inPlace && head === null) {
      return { ok: false, code: 'git/no-commits', message: `"${basename(root)}" has no commit yet, so there is nothing to start a branch from; nothing was started` };
    }
    return ok({ project: { root, name: basename(root).replace(/\.git$/, '') || 'repository' }, inPlace });
  }

  /** Asking twice for one session gives the same folder. */
  async create(session: Session): Promise<Result<WorktreeFacts, ErrorCode>> {
    const { state, git, home, trust } = this.#options;
    const spec = state.tasks.get(session.task)?.spec;
    assert(spec !== undefined, 'A session has its task');
    if (spec.inPlace) return ok(await this.#inPlace(spec.cwd));
    const trusted = await trust.read(spec.cwd);
    if (!trusted.ok) return trusted;
    const made = await createWorktree(git, {
      repo: spec.cwd,
      worktreesDir: home.worktrees,
      session: session.id,
      name: session.slug,
      trustedPrograms: trusted.value.programs,
    });
    if (!made.ok) return made;
    const { path, branch, baseCommit, notes } = made.value;
    const prepared = await trust.setUp(trusted.value, { worktree: path, logFile: join(sessionFolder(home, session.id).root, 'setup.log') });
    if (!prepared.ok) return prepared;
    return ok({ path, branch, baseCommit, isOwned: true, notes: [...notes, ...prepared.value] });
  }

  /** Answers the ref that keeps what would have been lost, or null. Refuses unmerged or dirty work unless forced. */
  async remove(session: Session, force: boolean, at: number): Promise<Result<string | null, ErrorCode>> {
    const { git, home, state } = this.#options;
    if (session.worktree === null || !session.worktree.isOwned) return ok(null);
    const project = state.projects.get(state.tasks.get(session.task)?.spec.project ?? '');
    assert(project !== undefined, 'A task has its project');
    const removed = await removeWorktree(git, { repo: project.root, worktreesDir: home.worktrees, path: session.worktree.path, force, at });
    return removed.ok ? ok(removed.value.backupRef) : removed;
  }

  async diff(session: Session, withPatch: boolean): Promise<Result<DiffDocument, ErrorCode>> {
    const { git } = this.#options;
    const { worktree } = session;
    if (worktree === null || worktree.baseCommit === null) {
      return { ok: false, code: 'git/not-a-repository', message: `Session "${session.name}" does not work in a repository, so there is no diff` };
    }
    const options = { worktree: worktree.path, base: worktree.baseCommit };
    const stat = await diffStat(git, options);
    if (!stat.ok) return stat;
    const chunks: Uint8Array[] = [];
    let isCut = false;
    if (withPatch) {
      const patch = await diffPatch(git, options, (chunk) => void chunks.push(chunk.slice()));
      if (!patch.ok) return patch;
      isCut = patch.value.isCut;
    }
    const { files, added, removed, from, leftOut } = stat.value;
    return ok({
      schema: 'concert/diff@1',
      session: session.id,
      base: from,
      files: files.map((file) => ({
        path: file.path,
        from: file.renamedFrom,
        change: file.change === 'type-changed' || file.change === 'conflicted' ? 'modified' : file.change,
        added: file.isBinary ? null : file.added,
        removed: file.isBinary ? null : file.removed,
      })),
      added,
      removed,
      patch: withPatch ? Buffer.concat(chunks).toString('utf8') : null,
      truncated: isCut || leftOut.untracked > 0,
    });
  }

  async trust(repository: string, hash: string | null): Promise<Result<TrustAnswer, ErrorCode>> {
    return await this.#options.trust.answer(repository, hash);
  }

  /** A removed session's log and private files go to the trash, named by when. */
  async discardFolder(session: string, at: number): Promise<void> {
    const { home } = this.#options;
    const { root } = sessionFolder(home, session);
    await mkdir(home.trash, { recursive: true, mode: 0o700 });
    const target = join(home.trash, `${session}-${at}`);
    await rename(root, target).catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return;
      if (cause.code === 'ENOTEMPTY' || cause.code === 'EEXIST') return await rm(root, { recursive: true, force: true });
      throw cause;
    });
  }

  async #inPlace(cwd: string): Promise<WorktreeFacts> {
    const repository = await readRepository(this.#options.git, cwd);
    const facts = repository.ok ? repository.value : null;
    return { path: cwd, branch: facts?.branch ?? null, baseCommit: facts?.head ?? null, isOwned: false, notes: [] };
  }
}
