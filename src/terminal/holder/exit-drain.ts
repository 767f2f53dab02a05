import { drainMs, drainSilenceMs } from './child.ts';

/**
 * Decides when the output of an ended process is complete: at the end of its stream, or, while left-over children keep
 * that open, after 250 ms without a byte and 5 s in all. Time stands still while paused.
 */
export class ExitDrain implements Disposable {
  readonly #onComplete: () => void;
  #hasExited = false;
  #hasEnded = false;
  #isPaused = false;
  #silence: NodeJS.Timeout | null = null;
  #limit: NodeJS.Timeout | null = null;

  constructor(onComplete: () => void) {
    this.#onComplete = onComplete;
  }

  /** The process was reaped: its number may come to belong to a stranger. */
  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** The process is gone. */
  exited(): void {
    this.#hasExited = true;
    this.#update();
  }

  /** The stream has ended. */
  ended(): void {
    this.#hasEnded = true;
    this.#update();
  }

  /** A byte came. */
  heard(): void {
    this.#silence?.refresh();
  }

  pause(): void {
    this.#isPaused = true;
    this.#stop();
  }

  resume(): void {
    this.#isPaused = false;
    this.#update();
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #update(): void {
    if (!this.#hasExited) return;
    if (this.#hasEnded) this.#complete();
    else if (!this.#isPaused) {
      this.#silence ??= setTimeout(() => this.#complete(), drainSilenceMs);
      this.#limit ??= setTimeout(() => this.#complete(), drainMs);
    }
  }

  #complete(): void {
    this.#stop();
    this.#onComplete();
  }

  #stop(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    if (this.#limit !== null) clearTimeout(this.#limit);
    this.#silence = null;
    this.#limit = null;
  }
}
