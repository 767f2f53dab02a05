import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { ok, refuse } from '../base/index.ts';
import { replaceFile } from './atomic-file.ts';
import { isSystemError } from './git-error.ts';
import { listed, quoted } from './printable.ts';
import type { ContentPart, ProjectContent } from './project-content.ts';
import { explained, type GitResult } from './refusals.ts';
import type { GitProgram } from './repository-programs.ts';

/** Contents remembered per project, newest kept: branches differ, and going back to one should not ask again. */
const contentsPerProjectMax = 20;
/** Projects remembered, those trusted last kept. */
const projectsMax = 1000;

/**
 * What a project may run:
 * - `nothing`: it brings nothing that would run.
 * - `trusted`: exactly this content was trusted.
 * - `untrusted`: with a sentence saying what is new or changed. Programs trusted before may still run, unchanged.
 */
export type TrustVerdict =
  | { state: 'nothing'; programs: GitProgram[] }
  | { state: 'trusted'; programs: GitProgram[] }
  | { state: 'untrusted'; programs: GitProgram[]; message: string; changed: string[] };

const Trusted = z.strictObject({
  hash: z.string(),
  trustedAt: z.number(),
  parts: z.array(z.strictObject({ name: z.string(), hash: z.string() })),
});
const TrustFile = z.strictObject({
  schema: z.literal('concert/trust@1'),
  projects: z.record(z.string(), z.array(Trusted)),
});
type TrustFile = z.infer<typeof TrustFile>;

/**
 * What the person trusted, in one private file (0600) that is replaced as a whole. A file others may write to counts
 * as empty; a damaged one too, and is set aside at the next change instead of being overwritten.
 */
export class TrustStore {
  readonly #path: string;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async verdict(project: string, content: ProjectContent): Promise<TrustVerdict> {
    if (content.parts.length === 0) return { state: 'nothing', programs: [] };
    const { trust, fault } = await this.#read();
    const known = trust.projects[project] ?? [];
    if (known.some(({ hash }) => hash === content.hash)) return { state: 'trusted', programs: plain(content.programs) };
    const hashes = new Set(known.flatMap(({ parts }) => parts.map(({ hash }) => hash)));
    const programs = plain(content.programs.filter(({ hash }) => hashes.has(hash)));
    const changed = changedParts(known.at(-1)?.parts ?? [], content.parts);
    return {
      state: 'untrusted',
      programs,
      changed,
      message: fault ?? untrustedMessage(project, known.length > 0, changed),
    };
  }

  /**
   * Trusts `content`, of which the person saw the `hash`. Refuses with `project/untrusted` when it is another by now.
   * `at` is ms since the epoch.
   */
  async trust(project: string, content: ProjectContent, hash: string, at: number): Promise<GitResult<null>> {
    if (content.hash !== hash)
      return refuse(
        'project/untrusted',
        `What ${quoted(project)} would run changed while you looked at it; nothing was trusted`,
      );
    return await this.#change((trust) => {
      const others = (trust.projects[project] ?? []).filter((known) => known.hash !== hash);
      const entry = { hash, trustedAt: at, parts: content.parts };
      trust.projects[project] = [...others, entry].slice(-contentsPerProjectMax);
    });
  }

  /** Takes back all trust in a project. */
  async forget(project: string): Promise<GitResult<null>> {
    return await this.#change((trust) => {
      delete trust.projects[project];
    });
  }

  /** Changes run one after the other, each on what the one before wrote. */
  async #change(edit: (trust: TrustFile) => void): Promise<GitResult<null>> {
    const work = this.#lastWrite.then(() =>
      explained(async () => {
        const { trust, fault } = await this.#read();
        if (fault !== undefined) await rename(this.#path, `${this.#path}.damaged`);
        edit(trust);
        const projects = Object.entries(trust.projects).sort(([, a], [, b]) => lastTrustedAt(a) - lastTrustedAt(b));
        await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
        const kept = { ...trust, projects: Object.fromEntries(projects.slice(-projectsMax)) };
        await replaceFile(this.#path, `${JSON.stringify(kept, null, 1)}\n`);
        return ok(null);
      }),
    );
    // A change that failed is told to who asked for it, and does not stop the next one.
    this.#lastWrite = work.catch(() => {});
    return await work;
  }

  async #read(): Promise<{ trust: TrustFile; fault?: string }> {
    const empty: TrustFile = { schema: 'concert/trust@1', projects: {} };
    try {
      const { uid, mode } = await stat(this.#path);
      if (uid !== process.getuid?.() || (mode & 0o022) !== 0)
        return { trust: empty, fault: `Others may write to ${quoted(this.#path)}, so no project counts as trusted` };
      return { trust: TrustFile.parse(JSON.parse(await readFile(this.#path, 'utf8'))) };
    } catch (error) {
      if (isSystemError(error) && error.code === 'ENOENT') return { trust: empty };
      const isUnreadable = isSystemError(error) || error instanceof SyntaxError || error instanceof z.ZodError;
      if (!isUnreadable) throw error;
      return {
        trust: empty,
        fault: `${quoted(this.#path)} cannot be read or is damaged, so no project counts as trusted`,
      };
    }
  }
}

function lastTrustedAt(contents: TrustFile['projects'][string]): number {
  return contents.at(-1)?.trustedAt ?? 0;
}

function plain(programs: readonly GitProgram[]): GitProgram[] {
  return programs.map(({ key, value }) => ({ key, value }));
}

/** Names of parts that are new, different or gone. */
function changedParts(before: readonly ContentPart[], now: readonly ContentPart[]): string[] {
  const keys = (parts: readonly ContentPart[]) => new Set(parts.map(({ name, hash }) => JSON.stringify([name, hash])));
  const [old, present] = [keys(before), keys(now)];
  const differing = [
    ...now.filter(({ name, hash }) => !old.has(JSON.stringify([name, hash]))),
    ...before.filter(({ name, hash }) => !present.has(JSON.stringify([name, hash]))),
  ];
  return [...new Set(differing.map(({ name }) => name))].sort();
}

function untrustedMessage(project: string, wasTrusted: boolean, changed: readonly string[]): string {
  return wasTrusted
    ? `Nothing of ${quoted(project)} is run: ${listed(changed)} changed since you trusted it`
    : `Nothing of ${quoted(project)} is run: you have not trusted it yet (${listed(changed)})`;
}
