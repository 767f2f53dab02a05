import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../base/index.ts';

/** Output kept of all scripts of one log file; an install that prints more is cut and says so. */
const scriptLogBytesMax = 4 * 1024 * 1024;
/** What a script that was told to end may take before it is killed. */
const killGraceMs = 3000;

export interface ScriptRun {
  argv: readonly string[];
  cwd: string;
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  /** Output is added here; made private (0600) if missing. */
  logPath: string;
  timeoutMs: number;
}

export type ScriptEnd =
  | { type: 'exited'; code: number }
  | { type: 'killed'; signal: string }
  | { type: 'timed-out' }
  | { type: 'not-started'; message: string };

/** Runs one program to its end. Never throws for what the program does. */
export type RunScript = (run: ScriptRun) => Promise<ScriptEnd>;

/**
 * The plain way to run scripts: a child in a process group of its own, without input. When it ends, what it left
 * running in its group is ended too: a service belongs to a service manager.
 */
export function createScriptRunner(clock: Clock): RunScript {
  return async (run) => {
    await using log = await BoundedLog.open(run.logPath);
    const [program = '', ...args] = run.argv;
    const child = spawn(program, args, {
      cwd: run.cwd,
      env: run.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const ended = new Promise<ScriptEnd>((resolve) => {
      child.once('error', (error) => resolve({ type: 'not-started', message: error.message }));
      child.once('exit', (code, signal) =>
        resolve(signal === null ? { type: 'exited', code: code ?? 0 } : { type: 'killed', signal }),
      );
    });
    const copied = Promise.all([copyOutput(child.stdout, log), copyOutput(child.stderr, log)]);
    // Joined below; a log that cannot be written must not end the daemon in between.
    copied.catch(() => {});

    let isLate = false;
    const timers: Disposable[] = [
      clock.after(run.timeoutMs, () => {
        isLate = true;
        endGroup(child, clock, timers);
      }),
    ];
    try {
      const end = await ended;
      endGroup(child, clock, timers);
      await copied;
      return isLate ? { type: 'timed-out' } : end;
    } finally {
      for (const timer of timers) timer[Symbol.dispose]();
    }
  };
}

function endGroup(child: ChildProcess, clock: Clock, timers: Disposable[]): void {
  signalGroup(child, 'SIGTERM');
  timers.push(
    clock.after(killGraceMs, () => {
      signalGroup(child, 'SIGKILL');
      // A process that left the group keeps our pipe open; it is not waited for.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }),
  );
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

async function copyOutput(stream: NodeJS.ReadableStream | null, log: BoundedLog): Promise<void> {
  if (stream === null) return;
  try {
    for await (const chunk of stream) await log.write(Buffer.from(chunk));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

class BoundedLog implements AsyncDisposable {
  readonly #file: FileHandle;
  #bytesLeft: number;

  private constructor(file: FileHandle, bytesLeft: number) {
    this.#file = file;
    this.#bytesLeft = bytesLeft;
  }

  static async open(path: string): Promise<BoundedLog> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
    const file = await open(path, flags, 0o600);
    return new BoundedLog(file, scriptLogBytesMax - (await file.stat()).size);
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#bytesLeft <= 0) return;
    const piece = chunk.subarray(0, this.#bytesLeft);
    this.#bytesLeft -= piece.length;
    await this.#file.write(piece);
    if (this.#bytesLeft <= 0) await this.#file.write(`\n[output above ${scriptLogBytesMax} bytes is not kept]\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
