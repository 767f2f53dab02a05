import { readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { ReadStream } from 'node:tty';
import * as nodePty from 'node-pty';
import { type ChildEvents, type ChildSpec, type ChildStart, type HolderChild, inputBytesMax } from './child.ts';
import { ExitDrain } from './exit-drain.ts';
import { FlushTick } from './flush-tick.ts';
import { ReadingPace, restMs } from './reading-pace.ts';
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

/** Reads every resting PTY of the holder at one wake-up. */
const restTick = new FlushTick(restMs);
/** Rests that ended without a byte before a PTY is waited for again. */
const emptyRestsMax = 2;

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

  /** `onData` says whether to wait for more; if not, `resume` goes on. */
  constructor(descriptor: number, onData: (bytes: Uint8Array) => boolean, onEnd: () => void) {
    super(descriptor, {
      onread: {
        buffer: readBuffer,
        callback: (count, buffer) => onData(buffer.subarray(0, count)),
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

/**
 * Its output is read in one of three ways: *waited for*, as it comes; *resting*, at the next `restTick`, because nobody
 * watches and little is printed; *paused*, not at all. A spinner that rests costs no wake-up of its own: that, not the
 * bytes, is what sixteen of them cost. Typing, a new size, a watcher and the exit end a rest at once.
 */
class PtyChild implements HolderChild {
  readonly #events: ChildEvents;
  readonly #pace = new ReadingPace();
  #isResting = false;
  #emptyRests = 0;
  #isWatched = false;
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
    this.#master = new Master(
      pty.fd,
      (bytes) => {
        this.#read(bytes);
        return !this.#isResting;
      },
      () => this.#ended(),
    );
    this.#master.resume();
  }

  exited(code: number, signal: number): void {
    if (this.#isDisposed) return;
    this.#wake();
    this.#exit = signal > 0 ? { code: null, signal: signalName(signal) } : { code, signal: null };
    this.#drain.exited();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#inputBytes + bytes.length > inputBytesMax) return false;
    this.#input.push(new Uint8Array(bytes));
    this.#inputBytes += bytes.length;
    this.#wake();
    if (this.#inputRetry === null) this.#type();
    return true;
  }

  endInput(): void {}

  resize(columns: number, rows: number): void {
    if (!this.#isOpen()) return;
    this.#wake();
    try {
      native.resize(this.#descriptor, columns, rows, 0, 0);
    } catch {
      // The terminal closed a moment ago; its exit follows.
    }
  }

  pause(): void {
    this.#isPaused = true;
    this.#isResting = false;
    this.#drain.pause();
    this.#master?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#master?.resume();
    this.#drain.resume();
  }

  setWatched(isWatched: boolean): void {
    this.#isWatched = isWatched;
    if (isWatched) this.#wake();
  }

  signal(name: NodeJS.Signals, target: 'group' | 'child'): boolean {
    if (target === 'group') return signalProcess(-this.#pid, name);
    return !this.#drain.hasExited && signalProcess(this.#pid, name);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#isResting = false;
    this.#drain[Symbol.dispose]();
    this.#dropInput();
    if (this.#look !== null) clearInterval(this.#look);
    this.#master?.release();
  }

  #isOpen(): boolean {
    return this.#master !== null && !this.#master.isClosed;
  }

  #read(bytes: Uint8Array): void {
    if (this.#isDisposed) return;
    this.#drain.heard();
    const mayRest = this.#pace.mayRest(bytes.length, performance.now());
    this.#events.onData(bytes);
    if (this.#isDisposed || this.#isPaused) return;
    if (mayRest && !this.#isWatched && !this.#drain.hasExited && this.#look === null) this.#rest();
    else this.#wake();
  }

  #ended(): void {
    if (this.#isDisposed) return;
    this.#look = setInterval(() => {
      if (!this.#isPaused) this.#readNow();
    }, reopenedMs);
    this.#drain.ended();
  }

  /** What is there without waiting. */
  #readNow(): void {
    try {
      for (let count = 1; count > 0 && this.#isOpen(); ) {
        count = readSync(this.#descriptor, readBuffer);
        if (count > 0) this.#read(readBuffer.subarray(0, count));
      }
    } catch {
      // EIO: still nobody has it open. EAGAIN: someone has, and says nothing.
    }
  }

  #rest(): void {
    this.#isResting = true;
    this.#emptyRests = 0;
    restTick.add(this.#endRest);
  }

  /** The stream is left out: stopping and starting it each time would cost the wake-ups that a rest saves. */
  readonly #endRest = (): void => {
    if (!this.#isResting) return;
    let count = 0;
    try {
      count = readSync(this.#descriptor, readBuffer);
    } catch (error) {
      const isEmpty = (error as NodeJS.ErrnoException).code === 'EAGAIN';
      if (isEmpty && ++this.#emptyRests < emptyRestsMax) return restTick.add(this.#endRest);
      // A terminal that ended is for the stream to find.
    }
    if (count === 0) this.#wake();
    else this.#read(readBuffer.subarray(0, count));
  };

  #wake(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#master?.resume();
  }

  #complete(): void {
    if (this.#isDisposed) return;
    if (this.#look !== null) this.#readNow();
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
