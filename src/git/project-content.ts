import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { ok, refuse } from '../base/index.ts';
import { isSystemError } from './git-error.ts';
import { isInside, isPlainRelative } from './inside.ts';
import { quoted } from './printable.ts';
import { type ProjectCommand, type ProjectConfig, parseProjectConfig, projectConfigPath } from './project-config.ts';
import { explained, type GitResult } from './refusals.ts';
import { readPlaces } from './repository.ts';
import { type GitProgram, readPrograms } from './repository-programs.ts';
import type { Git } from './run-git.ts';

/** Files one project may bring under its trust, and their size: a person is to look at them. */
const filesMax = 200;
const fileBytesMax = 1024 * 1024;

/** One thing trust is given to: a file, or a program that the repository's own git configuration names. */
export interface ContentPart {
  /** Path relative to the worktree, or `git config <key>`. Untrusted text. */
  name: string;
  /** SHA-256, hexadecimal. */
  hash: string;
}

/** All that a repository would have run, as it is in one worktree now. */
export interface ProjectContent {
  /** Null when the worktree has no `.concert/project.json`. */
  config: ProjectConfig | null;
  programs: (GitProgram & { hash: string })[];
  /** Sorted by name. Empty when there is nothing to trust. */
  parts: ContentPart[];
  /** Over all parts: what a person says yes to. */
  hash: string;
}

/**
 * Reads what a project would run: its configuration, every other file in `.concert/`, the files of the worktree that
 * the commands name, and the programs of the repository's own git configuration with the files those name. What such
 * a file starts in its turn is not followed: `npm ci` trusts `package.json` by being trusted itself. Refuses with
 * `project/invalid` what is malformed, too large, or leads out of the worktree by a link.
 */
export async function readProjectContent(git: Git, worktree: string): Promise<GitResult<ProjectContent>> {
  return await explained(async () => {
    const root = await realpath(worktree);
    const { commonDir, worktree: top } = await readPlaces(git, root);
    if (top !== root) return refuse('git/not-a-repository', `${quoted(worktree)} is not the root of a worktree`);
    const reader = new PartReader(root);
    try {
      await reader.addFolder('.concert');
      const text = reader.textOf(projectConfigPath);
      const parsed = text === undefined ? ok(null) : parseProjectConfig(text);
      if (!parsed.ok) return parsed;
      const config = parsed.value;
      for (const command of [...(config?.setup ?? []), ...(config?.teardown ?? [])])
        for (const name of namedFiles(command, root)) await reader.addIfFile(name);
      const programs = await hashPrograms(reader, await readPrograms(git, commonDir));
      const files = config === null ? [] : reader.parts();
      const parts = [...files, ...programs.map(({ key, hash }) => ({ name: `git config ${key}`, hash }))].sort(byName);
      return ok({ config, programs, parts, hash: sha256(JSON.stringify(parts.map(({ name, hash }) => [name, hash]))) });
    } catch (error) {
      if (error instanceof ContentFault) return refuse('project/invalid', error.message);
      throw error;
    }
  });
}

/** Each program with a hash over its setting and the files it names. */
async function hashPrograms(reader: PartReader, programs: readonly GitProgram[]): Promise<ProjectContent['programs']> {
  const hashed: ProjectContent['programs'] = [];
  for (const program of programs) {
    const files: ContentPart[] = [];
    for (const name of namedFiles(program.value, reader.root)) {
      const hash = await reader.hashIfFile(name);
      if (hash !== undefined) files.push({ name, hash });
    }
    hashed.push({
      ...program,
      hash: sha256(JSON.stringify([program.key, program.value, files.map(({ name, hash }) => [name, hash])])),
    });
  }
  return hashed;
}

/**
 * Words of a command that may be files of the worktree. A shell string is cut at everything that ends a word, an
 * option also at its `=`; words that are no files fall out when they are looked up.
 */
export function namedFiles(command: ProjectCommand, root: string): string[] {
  const words = typeof command === 'string' ? command.split(/[\s'"`;&|<>(){}$]+/) : command;
  const names = new Set<string>();
  for (const word of words.flatMap((text) => [text, ...text.split('=')])) {
    const path = isAbsolute(word) ? relative(root, word) : word.replace(/^(?:\.\/+)+/, '').replace(/\/{2,}/g, '/');
    if (isPlainRelative(path)) names.add(path);
  }
  return [...names].sort();
}

/** Thrown inside this file only, where a refusal has to leave several calls at once. */
class ContentFault extends Error {}

class PartReader {
  readonly root: string;
  readonly #files = new Map<string, Buffer>();

  constructor(root: string) {
    this.root = root;
  }

  /** Every file of a folder that is really there, and whatever is below it. */
  async addFolder(name: string): Promise<void> {
    const found = await this.#look(name);
    if (found === null) return;
    if (!found.isDirectory()) throw new ContentFault(`${quoted(name)} must be a folder, and no link to one`);
    for (const entry of await readdir(join(this.root, name), { withFileTypes: true })) {
      const path = `${name}/${entry.name}`;
      if (entry.isDirectory()) await this.addFolder(path);
      else if (entry.isFile()) await this.#add(path, path);
      else throw new ContentFault(`${quoted(path)} is neither a file nor a folder, so it cannot be trusted`);
    }
  }

  async addIfFile(name: string): Promise<void> {
    const real = await this.#realFile(name);
    if (real !== undefined) await this.#add(name, real);
  }

  async hashIfFile(name: string): Promise<string | undefined> {
    const real = await this.#realFile(name);
    return real === undefined ? undefined : sha256(await this.#read(name, real));
  }

  textOf(name: string): string | undefined {
    return this.#files.get(name)?.toString('utf8');
  }

  parts(): ContentPart[] {
    return [...this.#files].map(([name, bytes]) => ({ name, hash: sha256(bytes) }));
  }

  async #add(name: string, real: string): Promise<void> {
    if (this.#files.has(name)) return;
    if (this.#files.size >= filesMax)
      throw new ContentFault(`It brings more than ${filesMax} files, too many to look at`);
    this.#files.set(name, await this.#read(name, real));
  }

  async #read(name: string, real: string): Promise<Buffer> {
    const file = await open(join(this.root, real), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat();
      if (size > fileBytesMax) throw new ContentFault(`${quoted(name)} has ${size} bytes, more than ${fileBytesMax}`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  /** Where a name leads, relative to the root; undefined for what is no file. A way out of the worktree is a fault. */
  async #realFile(name: string): Promise<string | undefined> {
    const found = await stat(join(this.root, name)).catch(missing);
    if (found === null || found.isDirectory()) return undefined;
    if (!found.isFile()) throw new ContentFault(`${quoted(name)} is no ordinary file, so it cannot be trusted`);
    const real = await realpath(join(this.root, name));
    if (!isInside(this.root, real)) throw new ContentFault(`${quoted(name)} leads out of the repository by a link`);
    return relative(this.root, real);
  }

  async #look(name: string) {
    return await lstat(join(this.root, name)).catch(missing);
  }
}

function missing(error: unknown): null {
  const codes = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'];
  if (isSystemError(error) && codes.includes(error.code ?? '')) return null;
  throw error;
}

function byName(a: ContentPart, b: ContentPart): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.hash < b.hash ? -1 : 1;
}

function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
