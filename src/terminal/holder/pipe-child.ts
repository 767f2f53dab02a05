import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type ChildEvents, type ChildSpec, type ChildStart, type HolderChild, inputBytesMax } from './child.ts';
import { ExitDrain } from './exit-drain.ts';
import { signalProcess } from './signal-process.ts';
import { spawnClean } from './spawn-clean.ts';

/** Starts a program on pipes, in a session of its own and without a terminal. */
export function startPipes(spec: ChildSpec, events: ChildEvents): ChildStart {
  const program = spec.argv[0] ?? '';
  const failed = (reason: string): ChildStart => ({
    ok: false,
    error: 'spawn-failed',
    message: `Cannot start "${program}" on pipes: ${reason}`,
  });
  try {
    const { argv, cwd, env } = spec;
    const started = spawnClean({ argv, cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    // Node tells the reason later; without a process id there will be nothing else to hear.
    started.on('error', () => {});
    if (started.pid === undefined) return failed('the system refused a new process');
    return { ok: true, child: new PipeChild(started, started.pid, spec.stderr, events) };
  } catch (error) {
    return failed((error as Error).message);
  }
}

class PipeChild implements HolderChild {
  readonly pid: number;
  readonly poller = null;
  readonly #process: ChildProcess;
  readonly #events: ChildEvents;
  readonly #drain = new ExitDrain(() => this.#complete());
  #openStreams = 0;
  #exit: { code: number | null; signal: string | null } = { code: null, signal: null };
  #isDisposed = false;

  constructor(process: ChildProcess, pid: number, stderr: 'merged' | 'logged', events: ChildEvents) {
    this.pid = pid;
    this.#process = process;
    this.#events = events;
    this.#listen(process.stdout, (bytes) => events.onData(bytes));
    this.#listen(process.stderr, (bytes) => (stderr === 'merged' ? events.onData(bytes) : events.onErrors(bytes)));
    // A child that closed its input says so by EPIPE; it is free to do that.
    process.stdin?.on('error', () => {});
    process.on('exit', (code, signal) => {
      if (this.#isDisposed) return;
      this.#exit = { code, signal };
      this.#drain.exited();
    });
  }

  write(bytes: Uint8Array): boolean {
    const { stdin } = this.#process;
    if (stdin === null || !stdin.writable) return true;
    if (stdin.writableLength + bytes.length > inputBytesMax) return false;
    stdin.write(new Uint8Array(bytes));
    return true;
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  resize(): void {}

  pause(): void {
    this.#drain.pause();
    this.#process.stdout?.pause();
    this.#process.stderr?.pause();
  }

  resume(): void {
    this.#process.stdout?.resume();
    this.#process.stderr?.resume();
    this.#drain.resume();
  }

  signal(name: NodeJS.Signals, target: 'group' | 'child'): boolean {
    if (target === 'group') return signalProcess(-this.pid, name);
    return !this.#drain.hasExited && signalProcess(this.pid, name);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#drain[Symbol.dispose]();
    this.#process.stdin?.destroy();
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
  }

  #listen(stream: Readable | null, onBytes: (bytes: Uint8Array) => void): void {
    if (stream === null) return;
    this.#openStreams++;
    stream.on('data', (bytes: Buffer) => {
      if (this.#isDisposed) return;
      this.#drain.heard();
      onBytes(bytes);
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      this.#openStreams--;
      if (this.#openStreams === 0 && !this.#isDisposed) this.#drain.ended();
    });
  }

  #complete(): void {
    if (this.#isDisposed) return;
    this[Symbol.dispose]();
    this.#events.onExit(this.#exit);
  }
}
