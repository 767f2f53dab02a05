import type { ChildEvents, ChildExit, ChildSpec, HolderChild, StartChild } from './child.ts';

/**
 * A child that is a script instead of a process: keeps the contract of `HolderChild` with either kind of io, deterministic
 * and without a kernel. For tests and the simulator.
 */
export class FakeChild implements HolderChild {
  readonly spec: ChildSpec;
  readonly pid: number;
  readonly poller = null;
  /** What the script does with input; by default nothing. */
  onInput: (bytes: Uint8Array) => void = () => {};
  /** Piped only: the input was closed. */
  onInputEnd: () => void = () => {};
  onResize: (columns: number, rows: number) => void = () => {};
  /** What the script does with a signal; by default it dies of it. */
  onSignal: (name: NodeJS.Signals) => void = (signal) => this.exit({ code: null, signal });
  #events: ChildEvents;
  #isPaused = false;
  #isGone = false;
  #waiting: (() => void)[] = [];

  constructor(spec: ChildSpec, events: ChildEvents, pid: number) {
    this.spec = spec;
    this.pid = pid;
    this.#events = events;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** As the child: prints. Waits while paused, as it would in the kernel. */
  print(text: string | Uint8Array): void {
    const bytes = Buffer.from(text);
    this.#tell(() => this.#events.onData(bytes));
  }

  /** As the child: prints to standard error. */
  printErrors(text: string | Uint8Array): void {
    if (this.spec.io === 'pty' || this.spec.stderr === 'merged') return this.print(text);
    const bytes = Buffer.from(text);
    this.#tell(() => this.#events.onErrors(bytes));
  }

  /** As the child: ends. */
  exit(exit: ChildExit): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#tell(() => this.#events.onExit(exit));
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#isGone) this.onInput(new Uint8Array(bytes));
    return true;
  }

  endInput(): void {
    if (this.spec.io === 'pipes' && !this.#isGone) this.onInputEnd();
  }

  resize(columns: number, rows: number): void {
    if (this.spec.io === 'pty' && !this.#isGone) this.onResize(columns, rows);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next();
    }
  }

  signal(name: NodeJS.Signals): boolean {
    if (this.#isGone) return false;
    this.onSignal(name);
    return true;
  }

  [Symbol.dispose](): void {
    this.#isGone = true;
    this.#waiting = [];
    this.#events = { onData() {}, onErrors() {}, onExit() {} };
  }

  #tell(event: () => void): void {
    if (this.#isPaused || this.#waiting.length > 0) this.#waiting.push(event);
    else event();
  }
}

/** Starts fakes; `script` plays each of them, after the holder has it. */
export function startFakeChild(script: (child: FakeChild) => void): StartChild {
  let pid = 100;
  return (spec, events) => {
    const child = new FakeChild(spec, events, ++pid);
    queueMicrotask(() => script(child));
    return { ok: true, child };
  };
}
