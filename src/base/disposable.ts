/** Wraps a function that may run once; later calls do nothing. */
export function toDisposable(dispose: () => void): Disposable {
  let done = false;
  return {
    [Symbol.dispose]() {
      if (done) return;
      done = true;
      dispose();
    },
  };
}

/** Owns many disposables and closes them in reverse order. Adding to a closed store closes the newcomer at once. */
export class DisposableStore implements Disposable {
  #items = new Set<Disposable>();
  #isDisposed = false;

  add<T extends Disposable>(item: T): T {
    if (this.#isDisposed) item[Symbol.dispose]();
    else this.#items.add(item);
    return item;
  }

  /** Takes an item out without closing it. */
  release(item: Disposable): void {
    this.#items.delete(item);
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const item of [...this.#items].reverse()) item[Symbol.dispose]();
    this.#items.clear();
  }
}
