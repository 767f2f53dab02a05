import { expect, test } from 'vitest';
import { ReadingPace, restMs } from './reading-pace.ts';

/** Which reads may be followed by a rest; each read is [ms since the one before, bytes]. */
function rests(reads: readonly (readonly [number, number])[]): boolean[] {
  const pace = new ReadingPace();
  let now = 1000;
  return reads.map(([after, bytes]) => {
    now += after;
    return pace.mayRest(bytes, now);
  });
}

test('a spinner may rest after every frame, read one by one or several at once', () => {
  expect(rests(Array.from({ length: 20 }, () => [100, 120]))).toEqual(Array(20).fill(true));
  expect(rests(Array.from({ length: 20 }, () => [restMs, 240]))).toEqual(Array(20).fill(true));
});

test('a read that may not have emptied the kernel is followed by the next at once', () => {
  expect(
    rests([
      [0, 4095],
      [0, 4095],
      [0, 300],
    ]),
  ).toEqual([false, false, false]);
});

test('who prints much does not rest until it has printed little for a whole rest', () => {
  const chatty = Array.from({ length: 10 }, (): [number, number] => [1, 1000]);
  expect(rests([...chatty, [restMs, 10], [restMs, 10]])).toEqual([...Array(8).fill(true), false, false, false, true]);
});

test('an outburst long ago does not count', () => {
  expect(
    rests([
      [0, 4095],
      [0, 4095],
      [2 * restMs, 10],
    ]),
  ).toEqual([false, false, true]);
});
