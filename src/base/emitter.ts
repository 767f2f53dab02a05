import { toDisposable } from './disposable.ts';

/** Subscribes a listener; dispose to stop. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** The owner's half of an event. Listeners run in subscription order; one that subscribes during `fire` waits for the next. */
export class Emitter<T> implements Disposable {
  #listeners = new Set<{ call: (value: T) => void }>();

  readonly event: Event<T> = (listener) => {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return toDisposable(() => this.#listeners.delete(entry));
  };

  fire(value: T): void {
    for (const entry of [...this.#listeners]) entry.call(value);
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
  }
}
