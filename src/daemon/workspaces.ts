import { existsSync } from 'node:fs';
import { mkdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assert, type Clock, ok, type Result, refuse } from '../base/index.ts';
import { type FleetState, nameLengthMax, plainLine, type Session, type WorktreeFacts } from '../fleet/index.ts';
import {
  createWorktree,
  diffPatch,
  diffStat,
  type Git,
  inspectRemoval,
  isSafe,
  type ProjectContent,
  type RunScript,
  readProjectContent,
  readRepository,
  removeWorktree,
  setUpWorktree,
  spokenEvidence,
  type TrustStore,
  tearDownWorktree,
} from '../git/index.ts';
import type { DiffDocument, ErrorCode, Home } from '../protocol/index.ts';
import type { TrustAnswer } from '../server/index.ts';
import type { EnvironmentStore } from './environment-store.ts';
import { freePorts } from './free-ports.ts';
import { sessionFolder } from './home.ts';

export interface WorkspacesOptions {
  home: Home;
  git: Git;
  clock: Clock;
  state: FleetState;
  trust: TrustStore;
  environments: EnvironmentStore;
  runScript: RunScript;
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
      return ok({ project: { root, name: nameOf(root) || 'root' }, inPlace: true });
    }
    const { root, head } = repository.value;
    if (!inPlace && head === null) {
      return {
        ok: false,
        code: 'git/no-commits',
        message: `"${nameOf(root)}" has no commit yet, so there is nothing to start a branch from; nothing was started`,
      };
    }
    return ok({ project: { root, name: nameOf(root).replace(/\.git$/, '') || 'repository' }, inPlace });
  }

  /** Asking twice for one session gives the same folder. */
  async create(session: Session): Promise<Result<WorktreeFacts, ErrorCode>> {
    const { state, git, home, trust, environments } = this.#options;
    const spec = state.tasks.get(session.task)?.spec;
    assert(spec !== undefined, 'A session has its task');
    if (spec.inPlace) return ok(await this.#inPlace(spec.cwd));
    const project = state.projects.get(spec.project);
    assert(project !== undefined, 'A task has its project');
    const content = await readProjectContent(git, spec.cwd);
    if (!content.ok) return content;
    const verdict = await trust.verdict(project.root, content.value);
    const made = await createWorktree(git, {
      repo: spec.cwd,
      worktreesDir: home.worktrees,
      session: session.id,
      name: session.slug,
      trustedPrograms: verdict.programs,
    });
    if (!made.ok) return made;
    const { path, branch, baseCommit, notes } = made.value;
    const ports = await freePorts(content.value.config?.ports ?? []);
    environments.capture(session.id, { env: portVariables(ports), secretNames: [] });
    const prepared = await setUpWorktree(git, { ...this.#projectRun(session, path, project.root, branch), ports });
    if (prepared.ok) return ok({ path, branch, baseCommit, isOwned: true, notes: [...notes, ...prepared.value.notes] });
    if (prepared.code !== 'project/untrusted') return prepared;
    return ok({ path, branch, baseCommit, isOwned: true, notes: [...notes, prepared.message] });
  }

  /** Answers the ref that keeps what would have been lost, or null. Refuses unmerged or dirty work unless forced. */
  async remove(session: Session, force: boolean, at: number): Promise<Result<string | null, ErrorCode>> {
    const { git, home, state } = this.#options;
    const { worktree } = session;
    if (worktree === null || !worktree.isOwned) return ok(null);
    const project = state.projects.get(state.tasks.get(session.task)?.spec.project ?? '');
    assert(project !== undefined, 'A task has its project');
    const options = { repo: project.root, worktreesDir: home.worktrees, path: worktree.path };
    if (!force) {
      const evidence = await inspectRemoval(git, options);
      if (!evidence.ok) return evidence;
      if (!isSafe(evidence.value)) return refuse('git/unsafe-removal', spokenEvidence(evidence.value));
    }
    if (existsSync(worktree.path)) {
      const cleared = await tearDownWorktree(
        git,
        this.#projectRun(session, worktree.path, project.root, worktree.branch ?? ''),
      );
      if (!cleared.ok && cleared.code !== 'project/untrusted' && !force) return cleared;
    }
    const removed = await removeWorktree(git, { ...options, force, at });
    return removed.ok ? ok(removed.value.backupRef) : removed;
  }

  async diff(session: Session, withPatch: boolean): Promise<Result<DiffDocument, ErrorCode>> {
    const { git } = this.#options;
    const { worktree } = session;
    if (worktree === null || worktree.baseCommit === null) {
      return {
        ok: false,
        code: 'git/not-a-repository',
        message: `Session "${session.name}" does not work in a repository, so there is no diff`,
      };
    }
    const options = { worktree: worktree.path, base: worktree.baseCommit };
    const stat = await diffStat(git, options);
    if (!stat.ok) return stat;
    const chunks: Uint8Array[] = [];
    let isCut = false;
    if (withPatch) {
      const patch = await diffPatch(git, options, (chunk) => void chunks.push(new Uint8Array(chunk)));
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
        change: file.change,
        added: file.isBinary ? null : file.added,
        removed: file.isBinary ? null : file.removed,
      })),
      added,
      removed,
      patch: withPatch ? Buffer.concat(chunks).toString('utf8') : null,
      truncated: isCut || leftOut.untracked > 0,
    });
  }

  /** Without a hash: what would be trusted. With the hash that was shown: trusts exactly that. */
  async trust(repository: string, hash: string | null): Promise<Result<TrustAnswer, ErrorCode>> {
    const { git, trust, clock } = this.#options;
    const found = await readRepository(git, repository);
    if (!found.ok) return found;
    const content = await readProjectContent(git, found.value.worktree ?? repository);
    if (!content.ok) return content;
    if (hash !== null) {
      const trusted = await trust.trust(found.value.root, content.value, hash, clock.now());
      if (!trusted.ok) return trusted;
    }
    const verdict = await trust.verdict(found.value.root, content.value);
    return ok({
      schema: 'concert/trust@1',
      repository: found.value.root,
      hash: content.value.hash,
      trusted: verdict.state !== 'untrusted',
      summary: summaryOf(content.value),
    });
  }

  /** A removed session's log and private files go to the trash, named by when. */
  async discardFolder(session: string, at: number): Promise<void> {
    const { home } = this.#options;
    const { root } = sessionFolder(home, session);
    await mkdir(home.trash, { recursive: true, mode: 0o700 });
    const target = join(home.trash, `${session}-${at}`);
    await rename(root, target).catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return;
      if (cause.code === 'ENOTEMPTY' || cause.code === 'EEXIST')
        return await rm(root, { recursive: true, force: true });
      throw cause;
    });
  }

  #projectRun(session: Session, worktree: string, project: string, branch: string) {
    const { home, trust, runScript, environments } = this.#options;
    const logPath = join(sessionFolder(home, session.id).root, 'setup.log');
    return {
      worktree,
      project,
      branch,
      session: session.id,
      trust,
      runScript,
      env: environments.get(session.id),
      logPath,
    };
  }

  async #inPlace(cwd: string): Promise<WorktreeFacts> {
    const repository = await readRepository(this.#options.git, cwd);
    const facts = repository.ok ? repository.value : null;
    return { path: cwd, branch: facts?.branch ?? null, baseCommit: facts?.head ?? null, isOwned: false, notes: [] };
  }
}

/** A folder's name as a list may show it: a file system takes any character but one. */
function nameOf(folder: string): string {
  return plainLine(basename(folder), nameLengthMax);
}

function portVariables(ports: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
}

/** What a person says yes to, one line a thing. Names and commands are the repository's own text. */
function summaryOf(content: ProjectContent): string[] {
  const { config, parts } = content;
  const spoken = (command: string | readonly string[]) => (typeof command === 'string' ? command : command.join(' '));
  const commands = (label: string, list: readonly (string | readonly string[])[]) =>
    list.map((command) => `${label}: ${plainLine(spoken(command), 300)}`);
  return [
    ...commands('runs in a new worktree', config?.setup ?? []),
    ...commands('runs before removal', config?.teardown ?? []),
    ...(config?.copy ?? []).map((path) => `copies: ${plainLine(path, 300)}`),
    ...(config?.link ?? []).map((path) => `links: ${plainLine(path, 300)}`),
    ...parts.map(({ name }) => `counts: ${plainLine(name, 300)}`),
  ];
}
