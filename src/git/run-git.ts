import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { assert, backoffMs, type Clock } from '../base/index.ts';
import { GitError, type GitErrorCode, isMomentary, isSystemError, spokenCause } from './git-error.ts';
import { counted, quoted } from './printable.ts';

/** A call that reads facts: far above the slowest status seen, far below a person's patience. */
const gitTimeoutMs = 30_000;
/** A call that writes a whole worktree, perhaps from a slow disk or through a large-file filter. */
export const gitCheckoutTimeoutMs = 15 * 60_000;
/** Output of one call kept in memory; a status of 200,000 files stays below. Above it the call is ended and fails. */
const gitOutputBytesMax = 32 * 1024 * 1024;
/** Of what git says on stderr the end is kept: the cause comes last. */
const stderrBytesMax = 64 * 1024;
/** Children at once; further calls wait in turn. Two per core of a small machine are already disk bound. */
const gitChildrenMax = 8;
/** How long a git that was told to end may take to remove its lock files. */
const killGraceMs = 3000;
/** Waits for another git to be done: six tries, about 0.6 to 1.3 s together. */
const retriesMax = 6;
const retryBackoff = { firstMs: 25, maxMs: 500 };

/** One setting that a call is given over whatever the configuration files say. */
export interface ConfigOverride {
  key: string;
  value: string;
}

export interface GitRun {
  cwd: string;
  input?: string | Uint8Array;
  /** Added to the scrubbed environment, such as `GIT_INDEX_FILE`. */
  env?: Readonly<Record<string, string>>;
  timeoutMs?: number;
  /** Exit codes that are answers and no failures; `[0]` if left out. */
  exitCodes?: readonly number[];
  outputBytesMax?: number;
  /** Takes output as it comes, in order, instead of keeping it; git waits meanwhile. `false` ends the call early. */
  onOutput?: (chunk: Uint8Array) => Promise<boolean>;
}

export interface GitOutput {
  exitCode: number;
  /** All of stdout; empty with `onOutput`. */
  bytes: Buffer;
  /** The same as UTF-8: file names in other encodings get replacement characters, good to show and useless to pass on. */
  text: string;
  /** True when `onOutput` ended the call. */
  isCut: boolean;
}

/**
 * A way to call git. Throws `GitError` when git is missing, exits with an unexpected code, takes too long or says too
 * much; waits and retries only while another git is in the middle of a write (`isMomentary`).
 */
export interface Git {
  run(args: readonly string[], options: GitRun): Promise<GitOutput>;
  /**
   * The same git with further settings, which win over those of the configuration files. `mayFetch` lets a partial
   * clone fetch what a checkout lacks: only for a git whose repository can name no program any more.
   */
  withConfig(overrides: readonly ConfigOverride[], rights?: { mayFetch: boolean }): Git;
}

export interface GitOptions {
  /** Name or full path of the binary. */
  binary?: string;
  /** Where PATH, HOME and a few more come from; nothing else of it reaches git. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Spreads retries; in [0, 1). */
  chance?: () => number;
}

/** The one place that starts git. Every call is without hooks, prompts, pager, editor, signatures and background work. */
export function createGit({ binary = 'git', env, clock, chance = () => 0.5 }: GitOptions): Git {
  const children = new Permits(gitChildrenMax);
  const baseEnv = gitEnvironment(env);

  const withOverrides = (overrides: readonly ConfigOverride[], transport: Record<string, string>): Git => ({
    withConfig: (more, { mayFetch } = { mayFetch: false }) =>
      withOverrides([...overrides, ...more], mayFetch ? someTransport : transport),
    async run(args, options) {
      const call: Call = {
        binary,
        argv: [...settings([...fixedConfig, ...overrides]), ...args],
        env: { ...baseEnv, ...transport, ...settingsWithEqualSign(overrides), ...options.env },
        options,
        clock,
      };
      for (let attempt = 0; ; attempt++) {
        const end = await children.use(() => runOnce(call));
        if ((options.exitCodes ?? [0]).includes(end.exitCode ?? -1) || end.isCut)
          return { exitCode: end.exitCode ?? 0, bytes: end.bytes, text: end.bytes.toString('utf8'), isCut: end.isCut };
        if (attempt >= retriesMax || !isMomentary(end.stderr)) throw failed(call, end);
        await wait(clock, backoffMs(retryBackoff, attempt, chance()));
      }
    },
  });
  return withOverrides([], noTransport);
}

/**
 * Settings of every call. Hooks and the file system monitor are programs a repository can name; the rest would start
 * something, ask someone, change what we parse or write what a later git must understand.
 */
const fixedConfig: readonly ConfigOverride[] = [
  { key: 'core.hooksPath', value: '/dev/null' },
  { key: 'core.fsmonitor', value: 'false' },
  { key: 'core.untrackedCache', value: 'false' },
  { key: 'core.pager', value: 'cat' },
  { key: 'core.quotePath', value: 'true' },
  { key: 'core.safecrlf', value: 'false' },
  { key: 'color.ui', value: 'false' },
  { key: 'log.showSignature', value: 'false' },
  { key: 'commit.gpgSign', value: 'false' },
  { key: 'gc.auto', value: '0' },
  { key: 'maintenance.auto', value: 'false' },
  { key: 'submodule.recurse', value: 'false' },
  { key: 'fetch.recurseSubmodules', value: 'false' },
  { key: 'protocol.ext.allow', value: 'never' },
  { key: 'worktree.useRelativePaths', value: 'false' },
];

/** Variables that reach git. None of the caller's `GIT_*` does: one left over from a hook would point at another repository. */
const passedVariables = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'XDG_CONFIG_HOME',
  'SSH_AUTH_SOCK',
  'DEVELOPER_DIR',
];

function gitEnvironment(env: GitOptions['env']): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of passedVariables) {
    const value = env[name];
    if (value !== undefined) passed[name] = value;
  }
  return {
    ...passed,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_EDITOR: 'false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
  };
}

/** Any look at an object that a partial clone lacks would fetch it, by whatever program the repository names for that. */
const noTransport = { GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1' };
/** Without transports that are a program (`ext`) or start one in another local folder (`file`). */
const someTransport = { GIT_ALLOW_PROTOCOL: 'https:http:ssh' };

/** `-c` ends the key at its first `=`, so keys that have one go through the environment. */
function settings(overrides: readonly ConfigOverride[]): string[] {
  return overrides.filter(({ key }) => !key.includes('=')).flatMap(({ key, value }) => ['-c', `${key}=${value}`]);
}

function settingsWithEqualSign(overrides: readonly ConfigOverride[]): Record<string, string> {
  const odd = overrides.filter(({ key }) => key.includes('='));
  const env: Record<string, string> = odd.length === 0 ? {} : { GIT_CONFIG_COUNT: String(odd.length) };
  for (const [index, { key, value }] of odd.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

interface Call {
  binary: string;
  argv: readonly string[];
  env: Record<string, string>;
  options: GitRun;
  clock: Clock;
}

interface CallEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  bytes: Buffer;
  stderr: string;
  isCut: boolean;
}

async function runOnce(call: Call): Promise<CallEnd> {
  const { options, clock } = call;
  const child = await start(call);
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });

  let stopped: 'timeout' | 'output' | 'cut' | undefined;
  let killTimer: Disposable | undefined;
  let halt = () => {};
  const halted = new Promise<void>((resolve) => {
    halt = resolve;
  });
  const stop = (reason: typeof stopped) => {
    if (stopped !== undefined) return;
    stopped = reason;
    halt();
    signalGroup(child, 'SIGTERM');
    killTimer = clock.after(killGraceMs, () => signalGroup(child, 'SIGKILL'));
  };
  const timeoutMs = options.timeoutMs ?? gitTimeoutMs;
  const timer = clock.after(timeoutMs, () => stop('timeout'));

  const bytesMax = options.outputBytesMax ?? gitOutputBytesMax;
  const kept: Uint8Array[] = [];
  let keptBytes = 0;
  const take = async (chunk: Uint8Array): Promise<void> => {
    if (stopped !== undefined) return;
    if (options.onOutput !== undefined) {
      // Whoever takes the output may never come back; the call ends at its time all the same.
      if ((await Promise.race([options.onOutput(chunk), halted])) === false) stop('cut');
      return;
    }
    keptBytes += chunk.length;
    if (keptBytes > bytesMax) stop('output');
    else kept.push(chunk);
  };
  let stderr = '';
  child.stderr?.on('data', (chunk: Uint8Array) => {
    stderr = (stderr + Buffer.from(chunk).toString('utf8')).slice(-stderrBytesMax);
  });
  // A git that ends before it has read all its input shows in its exit code.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);

  try {
    const [end] = await Promise.all([ended, drain(child, take, () => stop('cut'))]);
    const result = { ...end, bytes: Buffer.concat(kept), stderr, isCut: stopped === 'cut' };
    if (stopped === 'timeout')
      throw new GitError(
        'git/timeout',
        `${spoken(call)} took longer than ${timeoutMs / 1000} s and was ended`,
        facts(call, result),
      );
    if (stopped === 'output')
      throw new GitError(
        'git/failed',
        `${spoken(call)} answered with more than ${bytesMax} bytes`,
        facts(call, result),
      );
    return result;
  } catch (error) {
    throw await asGitError(call, error);
  } finally {
    timer[Symbol.dispose]();
    killTimer?.[Symbol.dispose]();
  }
}

async function start(call: Call): Promise<ChildProcess> {
  try {
    return spawn(call.binary, call.argv, {
      cwd: call.options.cwd,
      env: call.env,
      stdio: [call.options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      // A group of its own, so that filters and helpers git starts end with it.
      detached: true,
    });
  } catch (error) {
    throw await asGitError(call, error);
  }
}

/** Feeds stdout to `take`, one chunk at a time. When `take` throws, the child is ended and the error goes on. */
async function drain(child: ChildProcess, take: (chunk: Uint8Array) => Promise<void>, end: () => void): Promise<void> {
  if (child.stdout === null) return;
  let failure: { error: unknown } | undefined;
  for await (const chunk of child.stdout) {
    if (failure !== undefined) continue;
    try {
      await take(chunk);
    } catch (error) {
      failure = { error };
      end();
    }
  }
  if (failure !== undefined) throw failure.error;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

async function asGitError(call: Call, error: unknown): Promise<unknown> {
  if (!isSystemError(error) || !error.syscall?.startsWith('spawn')) return error;
  const end: CallEnd = { exitCode: null, signal: null, bytes: Buffer.alloc(0), stderr: '', isCut: false };
  const { cwd } = call.options;
  const blocked = await access(`${cwd}/.`, constants.X_OK).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (blocked !== null)
    return new GitError('git/failed', `The folder ${quoted(cwd)} cannot be entered`, facts(call, end), blocked);
  const code: GitErrorCode = error.code === 'ENOENT' || error.code === 'EACCES' ? 'git/missing' : 'git/failed';
  return new GitError(code, `Cannot start ${quoted(call.binary)} (${error.code})`, facts(call, end), error);
}

function failed(call: Call, end: CallEnd): GitError {
  const how = end.exitCode === null ? `was ended by ${end.signal}` : `failed (exit ${end.exitCode})`;
  return new GitError('git/failed', `${spoken(call)} ${how}: ${spokenCause(end.stderr)}`, facts(call, end));
}

function facts(call: Call, end: CallEnd) {
  return { argv: call.argv, cwd: call.options.cwd, exitCode: end.exitCode, signal: end.signal, stderr: end.stderr };
}

/** `git worktree add` of a whole command line. */
function spoken(call: Call): string {
  const first = call.argv.findIndex((word, index) => word !== '-c' && call.argv[index - 1] !== '-c');
  const words = call.argv.slice(first, first + 2).filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-'));
  return `git ${words.join(' ')}`;
}

async function wait(clock: Clock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => void clock.after(ms, resolve));
}

/** Lets at most `count` pieces of work run at once; the others wait in order. */
class Permits {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    assert(count > 0, `${counted(count, 'permit')} would let nothing run`);
    this.#free = count;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
