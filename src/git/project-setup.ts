import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ok, refuse } from '../base/index.ts';
import { openCheckout } from './checkout.ts';
import { copyIgnored, linkIgnored } from './ignored-files.ts';
import { printable, quoted } from './printable.ts';
import type { ProjectCommand } from './project-config.ts';
import { type ProjectContent, readProjectContent } from './project-content.ts';
import { explained, type GitResult } from './refusals.ts';
import type { Git } from './run-git.ts';
import type { RunScript, ScriptEnd } from './run-script.ts';
import type { TrustStore } from './trust.ts';

/** One command of a setup: a cold dependency install over a slow line. */
const setupTimeoutMs = 20 * 60_000;
/** The end of the log is read back for the sentence that tells of a failure. */
const tailBytes = 2000;

export interface ProjectRunOptions {
  /** The worktree, whose own content is what counts. */
  worktree: string;
  /** Root of the project: where ignored files come from, and what trust is kept under. */
  project: string;
  branch: string;
  session: string;
  trust: TrustStore;
  runScript: RunScript;
  /** Where PATH, HOME and what else is allowed come from. */
  env: Readonly<Record<string, string | undefined>>;
  /** Ports chosen for this worktree, by the names in the configuration. */
  ports?: Readonly<Record<string, number>>;
  logPath: string;
  timeoutMs?: number;
}

export interface ProjectRun {
  /** Commands that ran; 0 when the project brings none. */
  commands: number;
  notes: string[];
}

/**
 * Makes a new worktree ready: copies and links ignored files, then runs the setup commands one after the other, the
 * first failure ending it. Refuses with `project/untrusted` unless exactly the content in this worktree is trusted,
 * with `project/invalid`, and with `project/setup-failed` and the last words of the command. Safe to run again: what
 * was copied or linked before is left alone.
 */
export async function setUpWorktree(git: Git, options: ProjectRunOptions): Promise<GitResult<ProjectRun>> {
  return await explained(async () => {
    const content = await readTrusted(git, options);
    if (!content.ok) return content;
    const { config } = content.value;
    if (config === null) return ok({ commands: 0, notes: [] });
    const brought = await bringIgnored(git, options, content.value);
    if (!brought.ok) return brought;
    const ran = await runCommands('Setup', config.setup, options);
    return ran.ok ? ok({ commands: ran.value, notes: brought.value }) : ran;
  });
}

async function bringIgnored(
  git: Git,
  { project, worktree }: ProjectRunOptions,
  { config, programs }: ProjectContent,
): Promise<GitResult<string[]>> {
  if (config === null || config.copy.length + config.link.length === 0) return ok([]);
  const from = await openCheckout(git, project, programs);
  if (!from.ok) return from;
  const copied = await copyIgnored({ from: from.value, to: worktree }, config.copy);
  if (!copied.ok) return copied;
  const linked = await linkIgnored({ from: from.value, to: worktree }, config.link);
  return linked.ok ? ok([...copied.value, ...linked.value]) : linked;
}

/** Runs the teardown commands before a removal; the agent may have changed them, and then they do not run. */
export async function tearDownWorktree(git: Git, options: ProjectRunOptions): Promise<GitResult<ProjectRun>> {
  return await explained(async () => {
    const content = await readTrusted(git, options);
    if (!content.ok) return content;
    const ran = await runCommands('Teardown', content.value.config?.teardown ?? [], options);
    return ran.ok ? ok({ commands: ran.value, notes: [] }) : ran;
  });
}

async function readTrusted(
  git: Git,
  { worktree, project, trust }: ProjectRunOptions,
): Promise<GitResult<ProjectContent>> {
  const content = await readProjectContent(git, worktree);
  if (!content.ok || content.value.config === null) return content;
  const verdict = await trust.verdict(project, content.value);
  return verdict.state === 'untrusted' ? refuse('project/untrusted', verdict.message) : content;
}

async function runCommands(
  what: 'Setup' | 'Teardown',
  commands: readonly ProjectCommand[],
  options: ProjectRunOptions,
): Promise<GitResult<number>> {
  const { worktree, logPath, runScript, timeoutMs = setupTimeoutMs } = options;
  const env = scriptEnvironment(options);
  await mkdir(dirname(logPath), { recursive: true, mode: 0o700 });
  for (const [index, command] of commands.entries()) {
    const argv = typeof command === 'string' ? ['sh', '-c', command] : command;
    const shown = printable(typeof command === 'string' ? command : command.join(' '), 200);
    await appendFile(logPath, `$ ${shown}\n`, { mode: 0o600 });
    const end = await runScript({ argv, cwd: worktree, env, logPath, timeoutMs });
    const fault = faultOf(end, timeoutMs);
    if (fault === null) continue;
    const last = await lastLine(logPath);
    const count = commands.length === 1 ? '' : ` ${index + 1} of ${commands.length}`;
    return refuse(
      'project/setup-failed',
      `${what} command${count} (${quoted(shown)}) ${fault}${last}. The worktree is kept`,
    );
  }
  return ok(commands.length);
}

function faultOf(end: ScriptEnd, timeoutMs: number): string | null {
  switch (end.type) {
    case 'exited':
      return end.code === 0 ? null : `exited with ${end.code}`;
    case 'killed':
      return `was ended by ${end.signal}`;
    case 'timed-out':
      return `took longer than ${timeoutMs / 1000} s and was ended`;
    case 'not-started':
      return `could not be started: ${printable(end.message)}`;
  }
}

/** `: "npm ERR! …"`, or nothing when the command said nothing. */
async function lastLine(logPath: string): Promise<string> {
  const file = await open(logPath, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, Math.max(0, size - tailBytes));
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    const line = lines.findLast((text) => text.trim() !== '') ?? '';
    return line === '' || line.startsWith('$ ') ? '' : `: ${quoted(line.trim())}`;
  } finally {
    await file.close();
  }
}

/** Names a script gets from the caller's environment; with `LC_*`. No token, key or secret is called like that. */
const allowedNames = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TERM',
  'TMPDIR',
  'TZ',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_RUNTIME_DIR',
  'XDG_STATE_HOME',
]);

function scriptEnvironment(options: ProjectRunOptions): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env))
    if (value !== undefined && (allowedNames.has(name) || name.startsWith('LC_'))) env[name] = value;
  for (const [name, port] of Object.entries(options.ports ?? {})) env[name] = String(port);
  return {
    ...env,
    CONCERT_PROJECT: options.project,
    CONCERT_WORKTREE: options.worktree,
    CONCERT_BRANCH: options.branch,
    CONCERT_SESSION: options.session,
  };
}
