/**
 * How long a terminal that nobody watches may rest between two reads. Above the tenth of a second at which spinners
 * turn, so that all resting sessions of a holder are read at one wake-up instead of one for each frame.
 */
export const restMs = 150;
/** A read below this has most likely emptied the kernel's buffer (it gives at most 4 KiB at a time). */
const lastReadBytes = 2048;
/**
 * Printing more than this in one rest, a session is read as it prints: the kernel keeps 64 KiB for it, and it should not
 * have to wait for room.
 */
const restBytesMax = 8192;

/** Tells busy sessions from those that only turn a spinner, by what they printed in this and the previous rest. */
export class ReadingPace {
  #from = 0;
  #bytes = 0;
  #bytesBefore = 0;

  /** Takes note of a read at `now` (ms, monotonic) and says whether the next may wait. */
  mayRest(bytes: number, now: number): boolean {
    const age = now - this.#from;
    if (age >= restMs) {
      this.#bytesBefore = age < 2 * restMs ? this.#bytes : 0;
      this.#bytes = 0;
      this.#from = now;
    }
    this.#bytes += bytes;
    return bytes < lastReadBytes && this.#bytes + this.#bytesBefore < restBytesMax;
  }
}
