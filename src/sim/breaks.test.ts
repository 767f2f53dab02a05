import { expect, it } from 'vitest';
import { queuedTasks } from '../fleet/index.ts';
import type { Bend } from './bend.ts';
import { breaks } from './breaks.ts';
import type { InvariantName } from './invariants.ts';
import { simulate } from './simulate.ts';

/** Histories a break may take until it is noticed. */
const seedsMax = 200;

/** The first seed in which this invariant does not hold, or what was broken instead. */
async function firstSeed(bend: Bend, wanted: InvariantName): Promise<string> {
  const others = new Set<string>();
  for (let seed = 1; seed <= seedsMax; seed++) {
    const { violation } = await simulate({ seed, bend });
    if (violation?.invariant === wanted) return 'noticed';
    if (violation !== null) others.add(violation.invariant);
  }
  return `not noticed, only ${[...others].join(', ') || 'nothing'}`;
}

it.each(Object.keys(breaks) as InvariantName[])('a break of "%s" is noticed', { timeout: 60_000 }, async (name) => {
  expect(await firstSeed(breaks[name], name)).toBe('noticed');
});

const others: [string, InvariantName, Bend][] = [
  [
    'a daemon that starts in a new holder without asking whether it still counts',
    'one-start',
    { skipsFenceCheck: true },
  ],
  [
    'a daemon that forgets what was queued when it crashes',
    'replay',
    {
      restored: (state) => {
        for (const { id } of queuedTasks(state)) state.tasks.delete(id);
      },
    },
  ],
  [
    'a daemon that does what follows only half the time',
    'quiet',
    { effects: (effect) => (effect.type === 'session/launch' && effect.incarnation % 2 === 0 ? [] : [effect]) },
  ],
  [
    'a journal that loses the last row of a batch',
    'acked-durable',
    {
      journal: (journal) => ({
        ...journal,
        read: journal.read,
        append: (batch) => journal.append({ ...batch, rows: batch.rows.slice(0, Math.max(1, batch.rows.length - 1)) }),
      }),
    },
  ],
];

it.each(others)('%s is noticed', { timeout: 60_000 }, async (_, name, bend) => {
  expect(await firstSeed(bend, name)).toBe('noticed');
});
