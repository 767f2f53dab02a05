import type { Clock, Log } from '../base/index.ts';
import { type FleetState, type Journal, writeSnapshot } from '../fleet/index.ts';
import type { EventLoop } from './event-loop.ts';
import type { StartRecord } from './start-record.ts';

/** Rows after which a snapshot is worth its write: replaying them would begin to be felt at a start. */
const rowsBetween = 2_000;
const lookMs = 10_000;
/** A run this long is called sound, and earlier crashes no longer count. */
const soundAfterMs = 60_000;

/** Writes a snapshot of the state now and then, so that the next start stays short however long the journal is. */
export class CheckpointSchedule implements Disposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: { state: FleetState; journal: Journal; loop: EventLoop; starts: StartRecord };
  #writtenAt: number;
  #next: Disposable;
  readonly #sound: Disposable;

  constructor(
    ports: { clock: Clock; log: Log },
    options: { state: FleetState; journal: Journal; loop: EventLoop; starts: StartRecord },
  ) {
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#options = options;
    this.#writtenAt = options.state.seq;
    this.#next = this.#clock.after(lookMs, () => void this.#look());
    this.#sound = this.#clock.after(soundAfterMs, () => options.starts.clear());
  }

  [Symbol.dispose](): void {
    this.#next[Symbol.dispose]();
    this.#sound[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    const { state, journal, loop } = this.#options;
    if (state.seq - this.#writtenAt >= rowsBetween && !loop.isHeldUp) {
      // Taken and numbered in one go: what the state holds beyond the last commit is in rows written before the snapshot.
      const { seq } = state;
      const text = writeSnapshot(state);
      try {
        await loop.settled();
        await journal.writeSnapshot(seq, text);
        this.#writtenAt = seq;
      } catch (cause) {
        this.#log.warn('No snapshot could be written', { message: (cause as Error).message });
      }
    }
    this.#next = this.#clock.after(lookMs, () => void this.#look());
  }
}
