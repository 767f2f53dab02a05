import * as z from 'zod';
import { ok, refuse } from '../base/index.ts';
import { isPlainRelative } from './inside.ts';
import { printable } from './printable.ts';
import type { GitResult } from './refusals.ts';

/** Path of the project's own configuration, relative to the root of a worktree. */
export const projectConfigPath = '.concert/project.json';

const word = z
  .string()
  .min(1)
  .max(8192)
  .refine((text) => !text.includes('\0'), 'has a NUL character');

/** An argv array is run as it is, a string by `sh -c`; both in the worktree's root. */
const Command = z.union([z.array(word).min(1).max(64), word]);
export type ProjectCommand = z.infer<typeof Command>;

const RelativePath = word.refine(isPlainRelative, 'must be a path inside the repository, without .. and without .git');

/** What a project wants done in each of its worktrees. Inert until the person trusts exactly this content. */
export const ProjectConfig = z.strictObject({
  $schema: z.string().optional(),
  setup: z.array(Command).max(32).default([]).describe('Commands run once in a new worktree, in order'),
  teardown: z.array(Command).max(32).default([]).describe('Commands run before a worktree is removed, in order'),
  copy: z
    .array(RelativePath)
    .max(64)
    .default([])
    .describe('Ignored files to copy from the main worktree; * and ** as in .gitignore'),
  link: z.array(RelativePath).max(64).default([]).describe('Ignored files or folders to link to the main worktree'),
  ports: z
    .array(z.string().regex(/^(?:[A-Z][A-Z0-9_]{0,60}_)?PORT$/, 'must be PORT or end in _PORT'))
    .max(16)
    .default([])
    .describe('Variables that get a port of their own in each worktree'),
});
export type ProjectConfig = z.infer<typeof ProjectConfig>;

/** Refuses with `project/invalid` and where the fault is. */
export function parseProjectConfig(text: string): GitResult<ProjectConfig> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refuse('project/invalid', `${projectConfigPath} is not JSON: ${printable(String(error), 200)}`);
  }
  const parsed = ProjectConfig.safeParse(json);
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${printable(issue.path.join('.'), 80)}`;
  const known = `It may have ${Object.keys(ProjectConfig.shape)
    .filter((key) => key !== '$schema')
    .join(', ')}`;
  return refuse(
    'project/invalid',
    `${projectConfigPath} is not valid${where}: ${printable(issue?.message ?? '', 200)}`,
    known,
  );
}
