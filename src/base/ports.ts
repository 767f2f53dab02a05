/**
 * Time as a port: the real one lives in `daemon/`, the simulated one in `sim/`.
 * `now` is wall time in ms since the epoch and may jump; `monotonic` is ms from an arbitrary start and never goes back.
 */
export interface Clock {
  now(): number;
  monotonic(): number;
  /** Runs `fn` once after at least `ms`; dispose to cancel. */
  after(ms: number, fn: () => void): Disposable;
}

/** Chance as a port. `id` gives `length` characters from a lower-case alphabet without look-alikes. */
export interface Random {
  /** In [0, 1). */
  float(): number;
  id(length: number): string;
}

/** Where a component tells what it did. Never carries terminal bytes, prompts or secrets. */
export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

/** A log that keeps nothing. */
export const silentLog: Log = { info() {}, warn() {}, error() {} };
