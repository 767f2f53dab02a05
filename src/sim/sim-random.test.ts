import { expect, it } from 'vitest';
import { SimRandom } from './sim-random.ts';

function draw(random: SimRandom): number[] {
  return Array.from({ length: 5 }, () => random.int(0, 999));
}

it('gives the same for the same seed, everywhere', () => {
  expect([draw(new SimRandom(7)), new SimRandom(7, 'ids').id(12)]).toEqual([[454, 63, 416, 364, 931], 'dhv6jzydywaj']);
});

it('streams do not disturb one another', () => {
  const random = new SimRandom(7, 'a');
  const before = draw(new SimRandom(7, 'a'));
  const stream = draw(random.stream('b'));
  expect([draw(random), draw(new SimRandom(7, 'a').stream('b'))]).toEqual([before, stream]);
});

it('spreads evenly', () => {
  const random = new SimRandom(1);
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < 40_000; n++) {
    const face = random.int(0, 3);
    counts[face] = (counts[face] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(600);
});
