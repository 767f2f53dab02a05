/** What a holder process is told at its start, as JSON. It stays so for its whole life. */
export interface HolderConfig {
  holder: string;
  version: string;
  socket: string;
  registryDir: string;
  /** For the epoch and the holder's own log; made with mode 0700. */
  stateDir: string;
  /** Sessions with a living child at once; sidecars belong to their session. */
  sessionsMax: number;
  /** Exits after so long without a living child and without a daemon. */
  idleMs: number;
  /** A log segment is closed beyond this. */
  segmentBytes: number;
  /** Longest that output waits in memory before it is written. */
  tickMs: number;
}

export const holderDefaults = { sessionsMax: 16, idleMs: 60_000, segmentBytes: 4 * 1024 * 1024, tickMs: 40 };
