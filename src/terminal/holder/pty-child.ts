import { readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { ReadStream } from 'node:tty';
import * as nodePty from 'node-pty';
import {
  type ChildEvents,
  type ChildPoller,
  type ChildSpec,
  type ChildStart,
  type HolderChild,
  inputBytesMax,
} from './child.ts';
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

/**
 * The reading half of a terminal. A terminal reads as ended (EIO) once no process has it open, which many programs bring
 * about a moment before they exit, and closing our side then would turn that exit into a hang-up. So the descriptor
 * stays open until `release`, and `onEnd` tells of the end meanwhile.
 */
class Master extends ReadStream {
  readonly #onEnd: () => void;
  #close: (() => void) | null = null;
  #isReleased = false;
  #isClosed = false;

  constructor(descriptor: number, onData: (bytes: Uint8Array) => void, onEnd: () => void) {
    super(descriptor, {
      onread: {
        buffer: readBuffer,
        callback: (count, buffer) => {
          onData(buffer.subarray(0, count));
          return true;
        },
      },
    });
    this.#onEnd = onEnd;
    // `onEnd` has told it.
    this.on('error', () => {});
  }

  /** The number of a closed descriptor may belong to another session a moment later. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  release(): void {
    this.#isReleased = true;
    if (this.#close === null) this.destroy();
    else if (!this.#isClosed) this.#close();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#close = () => {
      this.#isClosed = true;
      super._destroy(error, callback);
    };
    if (this.#isReleased) this.#close();
    else this.#onEnd();
  }
}

class PtyChild implements HolderChild {
  readonly #events: ChildEvents;
  readonly #drain = new ExitDrain(() => this.#complete());
  #pid = 0;
  #descriptor = -1;
  #master: Master | null = null;
  /** Runs while the program lives but has closed its terminal: it may open it again. */
  #look: NodeJS.Timeout | null = null;
  #exit: { code: number | null; signal: string | null } = { code: null, signal: null };
  #input: Uint8Array[] = [];
  #inputBytes = 0;
  #inputRetry: NodeJS.Timeout | null = null;
  #isPaused = false;
  #isWatching = true;
  #isDisposed = false;

  constructor(events: ChildEvents) {
    this.#events = events;
  }

  get pid(): number {
    return this.#pid;
  }

  readonly poller: ChildPoller = {
    watch: (isWatching) => {
      this.#isWatching = isWatching;
      this.#flow();
    },
    poll: () => (this.#isPaused ? 0 : this.#readOnce()),
  };

  open(pty: { fd: number; pid: number }): void {
    this.#pid = pty.pid;
    this.#descriptor = pty.fd;
    this.#master = new Master(
      pty.fd,
      (bytes) => this.#read(bytes),
      () => this.#ended(),
    );
    this.#master.resume();
  }

  exited(code: number, signal: number): void {
    if (this.#isDisposed) return;
    // What is left is to be read at once, and its end seen.
    this.poller.watch(true);
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

  resize(columns: number, rows: number): void {
    if (!this.#isOpen()) return;
    try {
      native.resize(this.#descriptor, columns, rows, 0, 0);
    } catch {
      // The terminal closed a moment ago; its exit follows.
    }
  }

  pause(): void {
    this.#isPaused = true;
    this.#drain.pause();
    this.#flow();
  }

  resume(): void {
    this.#isPaused = false;
    this.#flow();
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
    if (this.#look !== null) clearInterval(this.#look);
    this.#master?.release();
  }

  #flow(): void {
    if (this.#isPaused || !this.#isWatching) this.#master?.pause();
    else this.#master?.resume();
  }

  #isOpen(): boolean {
    return this.#master !== null && !this.#master.isClosed;
  }

  #read(bytes: Uint8Array): void {
    if (this.#isDisposed) return;
    this.#drain.heard();
    this.#events.onData(bytes);
  }

  #ended(): void {
    if (this.#isDisposed) return;
    this.#look = setInterval(() => {
      if (!this.#isPaused) this.#readAll();
    }, reopenedMs);
    this.#drain.ended();
  }

  /** What is there without waiting; 0 when that is nothing. */
  #readOnce(): number {
    if (this.#isDisposed || !this.#isOpen()) return 0;
    const { stackTraceLimit } = Error;
    try {
      // Silence is told by throwing; without a stack that costs a few microseconds less, hundreds of times a second.
      Error.stackTraceLimit = 0;
      const count = readSync(this.#descriptor, readBuffer);
      this.#read(readBuffer.subarray(0, count));
      return count;
    } catch (error) {
      // EAGAIN: it is open and silent. EIO: nobody has it open, which the stream is to find out in its own way.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.poller.watch(true);
      return 0;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  #readAll(): void {
    while (this.#readOnce() > 0);
  }

  #complete(): void {
    if (this.#isDisposed) return;
    if (this.#look !== null) this.#readAll();
    this[Symbol.dispose]();
    this.#events.onExit(this.#exit);
  }

  /** The descriptor does not block: what a child does not read stays here and is tried again. */
  #type(): void {
    this.#inputRetry = null;
    while (this.#input.length > 0 && this.#isOpen()) {
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

/** Between looks at a terminal that its program has closed and may open again; hardly any ever does. */
const reopenedMs = 100;

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
