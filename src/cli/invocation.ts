import type { Readable, Writable } from 'node:stream';
import type { Result } from '../base/index.ts';
import type { ErrorCode } from '../protocol/index.ts';

/** One call of the command line: what it was given and where it reads and writes. `main.ts` makes it once. */
export interface Invocation {
  /** What follows the program's name. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  uid: number;
  stdin: Readable & { isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };
  stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  stderr: Writable & { isTTY?: boolean };
  /** Starts this program anew when arguments are appended: the runtime, then the main file. */
  program: readonly [string, ...string[]];
  /** Resolves when the person wants it to end. From the first call on, Ctrl+C ends nothing by itself any more. */
  interrupted(): Promise<void>;
  /** Read only when asked for: most calls do not need it. */
  version(): string;
  other: OtherHalf;
}

/** What the command line asks of the program's other half, which it may not import. Each call loads it. */
export interface OtherHalf {
  /** Runs the daemon in this process until it ends; resolves with the exit code. It tells file descriptor 3, if that is a pipe, how the start went. */
  runDaemon(): Promise<number>;
  /** Resolves with what was done, one sentence each, in order. `status` changes nothing. */
  service(action: 'install' | 'remove' | 'status'): Promise<Result<string[], ErrorCode>>;
  /** Mends a damaged journal while no daemon runs; resolves with what was done. */
  repair(): Promise<Result<string[], ErrorCode>>;
  /** `concert sim`, where this build has it; resolves with the exit code. */
  simulate?(args: readonly string[]): Promise<number>;
}
