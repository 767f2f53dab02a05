import type { Clock } from '../base/index.ts';

class Entry implements Disposable {
  readonly at: number;
  readonly order: number;
  readonly what: string;
  run: (() => void) | null;

  constructor(at: number, order: number, what: string, run: () => void) {
    this.at = at;
    this.order = order;
    this.what = what;
    this.run = run;
  }

  [Symbol.dispose](): void {
    this.run = null;
  }
}

/**
 * Virtual time and everything that is to happen in it, one thing at a time. Timers count monotonic ms; the wall clock is
 * that plus an offset, which a closed lid or a wrong clock changes at once.
 */
export class Timeline implements Clock {
  #heap: Entry[] = [];
  #monotonic = 0;
  #order = 0;
  #wallOffset: number;

  constructor(wallStart: number) {
    this.#wallOffset = wallStart;
  }

  now(): number {
    return this.#monotonic + this.#wallOffset;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, run: () => void): Disposable {
    return this.schedule(ms, 'timer', run);
  }

  /** Like `after`, with a name for the history. Things of the same moment happen in the order they were asked for. */
  schedule(ms: number, what: string, run: () => void): Disposable {
    const entry = new Entry(this.#monotonic + Math.max(0, ms), this.#order++, what, run);
    this.#push(entry);
    return entry;
  }

  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Moves on to the next thing and does it; its name, or null when nothing is left. */
  next(): string | null {
    for (;;) {
      const entry = this.#pop();
      if (entry === undefined) return null;
      if (entry.run === null) continue;
      this.#monotonic = entry.at;
      entry.run();
      return entry.what;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (isBefore(above, entry)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (isBefore(last, heap[child] as Entry)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
