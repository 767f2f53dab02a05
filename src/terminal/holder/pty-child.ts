import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { ReadStream } from 'node:tty';
import * as nodePty from 'node-pty';
import { type ChildEvents, type ChildSpec, type ChildStart, type HolderChild, inputBytesMax } from './child.ts';
import { ExitDrain } from './exit-drain.ts';
import { signalProcess } from './signal-process.ts';
import { withoutGaps } from './spawn-clean.ts';

/**
 * The addon below node-pty's own class. That class closes the terminal 200 ms after the exit, read or not, spins while
 * a child does not take its input, and adds to the environment; none of that suits output that must be complete.
 */
interface NativePty {
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    columns: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (code: number, signal: number) => void,
  ): { fd: number; pid: number; pty: string };
  resize(descriptor: number, columns: number, rows: number, widthPixels: number, heightPixels: number): void;
}

const { native } = nodePty as unknown as { native: NativePty };

/** Every PTY of the holder reads into this: what arrives is copied on before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Starts a program in a new session whose controlling terminal it is. */
export function startPty(spec: ChildSpec, events: ChildEvents): ChildStart {
  const [file = '', ...args] = spec.argv;
  const env = Object.entries(spec.env).map(([name, value]) => `${name}=${value}`);
  const child = new PtyChild(events);
  try {
    const { columns, rows, cwd } = spec;
    const onExit = (code: number, signal: number) => child.exited(code, signal);
    const helper = helperPath();
    child.open(withoutGaps(() => native.fork(file, args, env, cwd, columns, rows, -1, -1, true, helper, onExit)));
  } catch (error) {
    const reason = (error as Error).message;
    return { ok: false, error: 'spawn-failed', message: `Cannot start "${file}" in a terminal: ${reason}` };
  }
  return { ok: true, child };
}

class PtyChild implements HolderChild {
  readonly #events: ChildEvents;
  readonly #drain = new ExitDrain(() => this.#complete());
  #pid = 0;
  #descriptor = -1;
  #stream: ReadStream | null = null;
  #exit: { code: number | null; signal: string | null } = { code: null, signal: null };
  #input: Uint8Array[] = [];
  #inputBytes = 0;
  #inputRetry: NodeJS.Timeout | null = null;
  #isDisposed = false;

  constructor(events: ChildEvents) {
    this.#events = events;
  }

  get pid(): number {
    return this.#pid;
  }

  open(pty: { fd: number; pid: number }): void {
    this.#pid = pty.pid;
    this.#descriptor = pty.fd;
    const stream = new ReadStream(pty.fd, {
      onread: {
        buffer: readBuffer,
        callback: (count, buffer) => {
          if (this.#isDisposed) return false;
          this.#drain.heard();
          this.#events.onData(buffer.subarray(0, count));
          return true;
        },
      },
    });
    this.#stream = stream;
    // EIO is how a terminal says that its last user is gone; any other error ends it as well.
    stream.on('error', () => {});
    stream.on('close', () => {
      if (!this.#isDisposed) this.#drain.ended();
    });
    stream.resume();
  }

  exited(code: number, signal: number): void {
    if (this.#isDisposed) return;
    this.#exit = signal > 0 ? { code: null, signal: signalName(signal) } : { code, signal: null };
    this.#drain.exited();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#inputBytes + bytes.length > inputBytesMax) return false;
    this.#input.push(new Uint8Array(bytes));
    this.#inputBytes += bytes.length;
    if (this.#inputRetry === null) this.#type();
    return true;
  }

  endInput(): void {}

  /** The number of a closed descriptor may belong to another session a moment later. */
  get #isOpen(): boolean {
    return this.#stream !== null && !this.#stream.destroyed;
  }

  resize(columns: number, rows: number): void {
    if (!this.#isOpen) return;
    try {
      native.resize(this.#descriptor, columns, rows, 0, 0);
    } catch {
      // The terminal closed a moment ago; its exit follows.
    }
  }

  pause(): void {
    this.#drain.pause();
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
    this.#drain.resume();
  }

  signal(name: NodeJS.Signals, target: 'group' | 'child'): boolean {
    if (target === 'group') return signalProcess(-this.#pid, name);
    return !this.#drain.hasExited && signalProcess(this.#pid, name);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#drain[Symbol.dispose]();
    this.#dropInput();
    this.#stream?.destroy();
  }

  #complete(): void {
    if (this.#isDisposed) return;
    this[Symbol.dispose]();
    this.#events.onExit(this.#exit);
  }

  /** The descriptor does not block: what a child does not read stays here and is tried again. */
  #type(): void {
    this.#inputRetry = null;
    while (this.#input.length > 0 && this.#isOpen) {
      const first = this.#input[0] as Uint8Array;
      try {
        const written = writeSync(this.#descriptor, first);
        this.#inputBytes -= written;
        if (written === first.length) this.#input.shift();
        else this.#input[0] = first.subarray(written);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return this.#dropInput();
        this.#inputRetry = setTimeout(() => this.#type(), inputRetryMs);
        return;
      }
    }
  }

  #dropInput(): void {
    if (this.#inputRetry !== null) clearTimeout(this.#inputRetry);
    this.#inputRetry = null;
    this.#input = [];
    this.#inputBytes = 0;
  }
}

/** Between tries to type into a full terminal: rare, and far below what a person notices. */
const inputRetryMs = 10;

/** Where the addon keeps the small program it needs on macOS; Linux ignores it. */
function helperPath(): string {
  if (process.platform !== 'darwin') return '';
  const root = dirname(dirname(createRequire(import.meta.url).resolve('node-pty')));
  return join(root, 'prebuilds', `darwin-${process.arch}`, 'spawn-helper');
}

function signalName(number: number): string {
  for (const [name, value] of Object.entries(constants.signals)) if (value === number) return name;
  return `signal ${number}`;
}
