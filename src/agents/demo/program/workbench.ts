import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { safeText } from '../../safe-text.ts';
import { demoAuthor, demoMarker } from '../demo-repository.ts';
import type { Step } from './scenario.ts';

export interface WorkResult {
  isOk: boolean;
  /** A few words for the right end of the line. */
  result: string;
  /** Shown under it; `+` and `-` lines are a diff. */
  lines: readonly string[];
}

export interface Changes {
  files: number;
  added: number;
  removed: number;
}

/** A command that takes longer is stopped. */
const commandMsMax = 60_000;
/** Output kept of one command, in characters. */
const outputMax = 256 * 1024;
const linesShownMax = 7;

/**
 * The real work of the demo: files, tests and commits in the folder it was started in. It touches nothing unless that
 * folder is a checkout of the throwaway repository, so a simulated agent never leaves a mark on real work.
 */
export class Workbench implements Disposable {
  readonly isDemoRepository: boolean;
  #root: string;
  #nodePath: string;
  #env: NodeJS.ProcessEnv;
  #base: string | null = null;
  #testsPassed = 0;
  #end = new AbortController();

  constructor({ root, nodePath, env }: { root: string; nodePath: string; env: NodeJS.ProcessEnv }) {
    this.#root = realpathSync(root);
    this.#nodePath = nodePath;
    this.isDemoRepository = existsSync(join(this.#root, demoMarker));
    this.#env = { ...env, ...quietGit };
    for (const name of ['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE'])
      delete this.#env[name];
  }

  /** Passing tests of the last run; 0 before the first. */
  get testsPassed(): number {
    return this.#testsPassed;
  }

  /** Stops the command under way. */
  [Symbol.dispose](): void {
    this.#end.abort();
  }

  async branch(): Promise<string | null> {
    const { code, output } = await this.#command('git', ['branch', '--show-current'], this.#end.signal);
    return code === 0 && output.trim() !== '' ? safeText(output, 60) : null;
  }

  /** Remembers where a turn begins, for `changes`. */
  async begin(signal: AbortSignal): Promise<void> {
    const { code, output } = await this.#command('git', ['rev-parse', 'HEAD'], signal);
    this.#base = code === 0 ? output.trim() : null;
    this.#testsPassed = 0;
  }

  /** What the turn changed, committed or not; null when git cannot tell. */
  async changes(signal: AbortSignal): Promise<Changes | null> {
    if (this.#base === null) return null;
    const { code, output } = await this.#command('git', ['diff', '--numstat', this.#base, '--'], signal);
    if (code !== 0) return null;
    const rows = output.split('\n').filter((row) => row !== '');
    const sum = (column: number) => rows.reduce((total, row) => total + (Number(row.split('\t')[column]) || 0), 0);
    return { files: rows.length, added: sum(0), removed: sum(1) };
  }

  read(path: string): WorkResult {
    const text = this.#textOf(path);
    if (text === null) return { isOk: false, result: 'no such file', lines: [] };
    const count = text.split('\n').length - 1;
    return { isOk: true, result: count === 1 ? '1 line' : `${count} lines`, lines: [] };
  }

  edit(step: Step & { do: 'edit' }): WorkResult {
    const before = this.#textOf(step.path) ?? '';
    const after = edited(before, step);
    if (after === null) return { isOk: false, result: 'text to replace not found', lines: [] };
    const path = this.#inside(step.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, after);
    const { added, removed } = changedLines(before, after);
    return {
      isOk: true,
      result: `+${added.length} −${removed.length}`,
      lines: shortened([...removed.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)]),
    };
  }

  async test(files: readonly string[], signal: AbortSignal): Promise<WorkResult> {
    const argv = ['--test', '--test-reporter=tap', ...files.map((file) => this.#inside(file))];
    const { output } = await this.#command(this.#nodePath, argv, signal);
    const count = (word: string) => Number(new RegExp(`^# ${word} (\\d+)`, 'm').exec(output)?.[1] ?? 0);
    const [passed, failed] = [count('pass'), count('fail')];
    this.#testsPassed = passed;
    const names = [...output.matchAll(/^\s*not ok \d+ - (.*)$/gm)].map((match) => `✕ ${match[1] ?? ''}`);
    return {
      isOk: failed === 0 && passed > 0,
      result: failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} failed`,
      lines: shortened(names),
    };
  }

  async run(argv: readonly string[], signal: AbortSignal): Promise<WorkResult> {
    const [program = '', ...rest] = argv;
    const { code, output } = await this.#command(program === 'node' ? this.#nodePath : program, rest, signal);
    return {
      isOk: code === 0,
      result: code === 0 ? 'done' : `exit code ${code}`,
      lines: shortened(output.trimEnd().split('\n')),
    };
  }

  async commit(message: string, signal: AbortSignal): Promise<WorkResult> {
    const added = await this.#git(['add', '--all', '--', '.'], signal);
    if (added.code !== 0) return { isOk: false, result: 'git add failed', lines: shortened(added.output.split('\n')) };
    const done = await this.#git(['commit', '--quiet', '--no-verify', '-m', message], signal);
    if (done.code !== 0) return { isOk: false, result: 'nothing to commit', lines: [] };
    const { output } = await this.#git(['rev-parse', '--short', 'HEAD'], signal);
    return { isOk: true, result: output.trim(), lines: [] };
  }

  /** Another git at work in the same folder holds the index for a moment; that one cause is worth a few tries. */
  async #git(argv: readonly string[], signal: AbortSignal): Promise<{ code: number; output: string }> {
    for (let attempt = 0; ; attempt++) {
      const done = await this.#command('git', [...ownGitSettings, ...argv], signal);
      if (done.code === 0 || attempt === 4 || !done.output.includes('index.lock')) return done;
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
    }
  }

  #textOf(path: string): string | null {
    try {
      return readFileSync(this.#inside(path), 'utf8');
    } catch {
      // Absent or unreadable: told as such by the caller.
      return null;
    }
  }

  /** Throws for a path that leaves the folder, through `..` or through a link. */
  #inside(path: string): string {
    const full = join(this.#root, path);
    let parent = dirname(full);
    while (!existsSync(parent)) parent = dirname(parent);
    const real = existsSync(full) ? realpathSync(full) : realpathSync(parent);
    const away = relative(this.#root, real);
    if (away === '..' || away.startsWith(`..${sep}`))
      throw new Error(`"${safeText(path, 80)}" lies outside the folder`);
    return full;
  }

  #command(program: string, argv: readonly string[], signal: AbortSignal): Promise<{ code: number; output: string }> {
    return new Promise((resolve) => {
      let output = '';
      const child = spawn(program, argv, {
        cwd: this.#root,
        env: this.#env,
        stdio: ['ignore', 'pipe', 'pipe'],
        signal: AbortSignal.any([signal, this.#end.signal, AbortSignal.timeout(commandMsMax)]),
      });
      const collect = (chunk: Buffer) => {
        if (output.length < outputMax) output += chunk.toString('utf8');
      };
      child.stdout.on('data', collect);
      child.stderr.on('data', collect);
      child.on('error', (error) => resolve({ code: -1, output: output || error.message }));
      child.on('close', (code) => resolve({ code: code ?? -1, output }));
    });
  }
}

const quietGit = { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' };
const ownGitSettings = [
  ...['-c', `user.name=${demoAuthor.name}`, '-c', `user.email=${demoAuthor.email}`],
  ...['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'commit.gpgSign=false', '-c', 'gc.auto=0'],
];

function edited(before: string, step: Step & { do: 'edit' }): string | null {
  if (step.content !== undefined) return step.content;
  if (step.append !== undefined) return before + step.append;
  const { from = '', to = '' } = step;
  if (before.includes(from)) return before.replace(from, () => to);
  // Done already, before the turn was cut and resumed.
  return before.includes(to) ? before : null;
}

/** The lines between the common beginning and the common end. */
function changedLines(before: string, after: string): { removed: string[]; added: string[] } {
  const removed = linesOf(before);
  const added = linesOf(after);
  while (removed.length > 0 && removed[0] === added[0]) {
    removed.shift();
    added.shift();
  }
  while (removed.length > 0 && removed.at(-1) === added.at(-1)) {
    removed.pop();
    added.pop();
  }
  return { removed, added };
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function shortened(lines: readonly string[]): string[] {
  const shown = lines.filter((line) => line.trim() !== '').map((line) => safeLine(line));
  if (shown.length <= linesShownMax) return shown;
  return [...shown.slice(0, linesShownMax - 1), `  … ${shown.length - linesShownMax + 1} more lines`];
}

/** Keeps the indentation, which `safeText` would take away. */
function safeLine(line: string): string {
  const indent = /^[-+]? */.exec(line)?.[0] ?? '';
  return indent.slice(0, 40) + safeText(line.slice(indent.length));
}
