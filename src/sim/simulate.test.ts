import { expect, it } from 'vitest';
import { describeViolation } from './run-sim.ts';
import { simulate } from './simulate.ts';

/** Lets the test runner talk to us between two histories. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

it('every invariant holds in a thousand histories', { timeout: 180_000 }, async () => {
  for (let seed = 1; seed <= 1_000; seed++) {
    expect(describeViolation(await simulate({ seed }))).toBe('');
    await breathe();
  }
});

it('the same seed gives the same history, and another seed another', async () => {
  const hashes: string[] = [];
  for (const seed of [7, 8, 7, 8]) hashes.push((await simulate({ seed })).hash);
  expect([hashes[0] === hashes[2], hashes[1] === hashes[3], hashes[0] === hashes[1]]).toEqual([true, true, false]);
});

it('histories are about what they are meant to be about', async () => {
  const total = { steps: 0, crashes: 0 };
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const { steps, crashes, faults } = await simulate({ seed });
    total.steps += steps;
    total.crashes += crashes;
    for (const kind of Object.keys(faults)) kinds.add(kind);
  }
  expect(total.steps / 40).toBeGreaterThan(300);
  expect(total.crashes / 40).toBeGreaterThan(1);
  expect([...kinds].sort()).toEqual([
    'agentKill',
    'crash',
    'crash: between commit and effect',
    'crash: by itself',
    'crash: reboot',
    'crash: storm',
    'diskFull',
    'diskSlow',
    'holderKill',
    'logFull',
    'read-only start',
    'reboot',
    'rival',
    'sleep',
    'stop',
    'storm',
    'wrongClock',
  ]);
});
