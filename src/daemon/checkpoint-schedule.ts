import type { Clock, Log } from '../base/index.ts';
import { type FleetState, type Journal, writeSnapshot } from '../fleet/index.ts';
import type { EventLoop } from './event-loop.ts';
import type { StartRecord } from './start-record.ts';

/** Rows after which a snapshot is worth its write: replaying them would begin to be felt at a start. */
const rowsBetween = 2_000;
const lookMs = 10_000;
/** A damaged journal then loses an hour at most, and mostly nothing: later rows are proven from its own end. */
const copyEveryMs = 60 * 60_000;
/** A run this long is called sound, and earlier crashes no longer count. */
const soundAfterMs = 60_000;

export interface CheckpointOptions {
  state: FleetState;
  journal: Journal;
  loop: EventLoop;
  starts: StartRecord;
  /** Makes copy number 0 or 1. */
  copy(number: number): Promise<void>;
}

/**
 * Writes a snapshot of the state now and then, so that the next start stays short however long the journal is, and a copy
 * of the whole journal every hour, so that damage can be mended.
 */
export class CheckpointSchedule implements Disposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: CheckpointOptions;
  #writtenAt: number;
  #next: Disposable;
  readonly #sound: Disposable;
  #copies = 0;
  #nextCopy: Disposable;

  constructor(ports: { clock: Clock; log: Log }, options: CheckpointOptions) {
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#options = options;
    this.#writtenAt = options.state.seq;
    this.#next = this.#clock.after(lookMs, () => void this.#look());
    this.#nextCopy = this.#clock.after(copyEveryMs, () => void this.#copy());
    this.#sound = this.#clock.after(soundAfterMs, () => options.starts.clear());
  }

  [Symbol.dispose](): void {
    this.#next[Symbol.dispose]();
    this.#sound[Symbol.dispose]();
    this.#nextCopy[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    const { state, journal, loop } = this.#options;
    // Only of a state that is on record: what is held back may still be refused.
    if (state.seq - this.#writtenAt >= rowsBetween && loop.isSettled) {
      const { seq } = state;
      try {
        await journal.writeSnapshot(seq, writeSnapshot(state));
        this.#writtenAt = seq;
      } catch (cause) {
        this.#log.warn('No snapshot could be written', { message: (cause as Error).message });
      }
    }
    this.#next = this.#clock.after(lookMs, () => void this.#look());
  }

  async #copy(): Promise<void> {
    try {
      await this.#options.copy(this.#copies++ % 2);
    } catch (cause) {
      this.#log.warn('No copy of the journal could be made', { message: (cause as Error).message });
    }
    this.#nextCopy = this.#clock.after(copyEveryMs, () => void this.#copy());
  }
}
