import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ChildPoller } from './child.ts';
import { HolderTick } from './holder-tick.ts';
import { PacedReader } from './paced-reader.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A terminal that prints a frame every `everyMs`, and what reading it cost. */
class Spinner implements ChildPoller {
  isWatching = true;
  wakeUps = 0;
  polls = 0;
  delays: number[] = [];
  readonly reader: PacedReader;
  #waiting: number[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #frameBytes: number;
  isWatched = false;

  constructor(tick: HolderTick, everyMs: number, frameBytes = 100) {
    this.#frameBytes = frameBytes;
    this.reader = new PacedReader(this, tick);
    this.#timer = setInterval(() => {
      this.#waiting.push(performance.now());
      if (this.isWatching) {
        this.wakeUps++;
        this.#read();
      }
    }, everyMs);
  }

  watch(isWatching: boolean): void {
    this.isWatching = isWatching;
    if (isWatching && this.#waiting.length > 0) this.#read();
  }

  poll(): number {
    this.polls++;
    return this.#read();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #read(): number {
    const bytes = this.#waiting.length * this.#frameBytes;
    for (const since of this.#waiting) this.delays.push(performance.now() - since);
    this.#waiting = [];
    if (bytes > 0) this.reader.heard(bytes, this.isWatched);
    return bytes;
  }
}

test('sixteen spinners share ten wake-ups a second, none of their frames waits above 100 ms', () => {
  using tick = new HolderTick(40);
  const spinners = Array.from({ length: 16 }, () => new Spinner(tick, 100));
  vi.advanceTimersByTime(10_000);
  for (const spinner of spinners) {
    expect(spinner.isWatching).toBe(false);
    expect(spinner.wakeUps).toBeLessThan(5);
    expect(spinner.polls).toBeLessThanOrEqual(100);
    expect(spinner.delays.length).toBeGreaterThan(95);
    expect(Math.max(...spinner.delays)).toBeLessThanOrEqual(100);
    spinner.stop();
  }
});

test("what prints rarely, much, or before someone's eyes is read as it comes", () => {
  using tick = new HolderTick(40);
  const rare = new Spinner(tick, 1000);
  const flood = new Spinner(tick, 10, 5000);
  const watched = new Spinner(tick, 100);
  watched.isWatched = true;
  vi.advanceTimersByTime(5000);
  for (const spinner of [rare, flood, watched]) {
    expect({ polls: spinner.polls, worst: Math.max(...spinner.delays) }).toEqual({ polls: 0, worst: 0 });
    spinner.stop();
  }
});

test('is watched again once it is silent, floods, or someone types', () => {
  using tick = new HolderTick(40);
  const silent = new Spinner(tick, 100);
  vi.advanceTimersByTime(1000);
  silent.stop();
  vi.advanceTimersByTime(400);
  expect(silent.isWatching).toBe(true);
  expect(vi.getTimerCount()).toBe(0);

  const typed = new Spinner(tick, 100);
  vi.advanceTimersByTime(1050);
  expect(typed.isWatching).toBe(false);
  typed.reader.attend();
  expect(typed.isWatching).toBe(true);
  vi.advanceTimersByTime(450);
  expect(typed.isWatching).toBe(true);
  vi.advanceTimersByTime(1000);
  expect(typed.isWatching).toBe(false);
  typed.reader[Symbol.dispose]();
  typed.stop();
  vi.advanceTimersByTime(200);
  expect(vi.getTimerCount()).toBe(0);
});

test('one tick reads, writes and sends, in this order', () => {
  using tick = new HolderTick(40);
  const done: string[] = [];
  tick.add('read', () => {
    done.push(`read ${tick.isRunning}`);
    tick.add('write', () => done.push('write'));
    tick.add('send', () => done.push('send'));
  });
  const early = () => void done.push('early');
  tick.add('write', early);
  tick.add('write', early);
  vi.advanceTimersByTime(40);
  expect(done).toEqual(['early']);
  vi.advanceTimersByTime(60);
  expect(done).toEqual(['early', 'read true', 'write', 'send']);
  expect(vi.getTimerCount()).toBe(0);
});
