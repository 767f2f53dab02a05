import type { HolderExit, HolderStart } from '../../protocol/index.ts';

/** How a child ended; the channel adds the time. */
export type ChildExit = Omit<HolderExit, 'at'>;

export type ChildSpec = Pick<HolderStart, 'argv' | 'cwd' | 'env' | 'io' | 'columns' | 'rows'> & {
  stderr: 'merged' | 'logged';
};

export interface ChildEvents {
  /** Bytes as they came. The view is valid only during the call. */
  onData(bytes: Uint8Array): void;
  /** Standard error of a piped child that keeps it apart. */
  onErrors(bytes: Uint8Array): void;
  /** Once, after the last byte was handed over: output is drained until its end or 250 ms of silence. */
  onExit(exit: ChildExit): void;
}

/**
 * A running program with its terminal or pipes, in a process group of its own. Two real kinds (`pty-child`,
 * `pipe-child`) and two fakes keep one contract, `child.contract.test.ts`.
 */
export interface HolderChild extends Disposable {
  readonly pid: number;
  /** False when so much input waits already that this was not taken; nothing of it is then typed. */
  write(bytes: Uint8Array): boolean;
  /** Closes the input of a piped child; a PTY has no such thing. */
  endInput(): void;
  resize(columns: number, rows: number): void;
  /** Set where the child can be read on demand; null for pipes, which are read as they come. */
  readonly poller: ChildPoller | null;
  /** No data until `resume`; the rest waits in the kernel. Neither is an exit told while paused. */
  pause(): void;
  resume(): void;
  /** False when nobody was there to get it. After the end only the group may be meant: what the program left behind. */
  signal(name: NodeJS.Signals, target: 'group' | 'child'): boolean;
  /** Lets go of the terminal or the pipes; no event follows. */
  [Symbol.dispose](): void;
}

/**
 * Reading when it suits us instead of whenever the child prints. Data found goes through `onData` either way. While
 * unwatched and not polled the child's output waits in the kernel, some kilobytes of it, then the child waits too.
 */
export interface ChildPoller {
  watch(isWatching: boolean): void;
  /** Reads once what is there without waiting; the number of bytes it was, 0 also while paused. */
  poll(): number;
}

export type StartChild = (spec: ChildSpec, events: ChildEvents) => ChildStart;

/** A program that cannot be started is an expected end, not a failure of the holder. */
export type ChildStart =
  | { ok: true; child: HolderChild }
  | { ok: false; error: NonNullable<HolderExit['error']>; message: string };

/** Input that may wait for a child which does not read; a paste of a megabyte is more than agents accept. */
export const inputBytesMax = 1024 * 1024;

/** After the process ended: silence that counts as the end of its output, while something else keeps it open. */
export const drainSilenceMs = 250;

/** After the process ended: the longest its left-over children may keep the channel open. */
export const drainMs = 5000;
