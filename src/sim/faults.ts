import type { SimRandom } from './sim-random.ts';

/** What can go wrong by itself, with the mean time between two of a kind, ms, where a seed has it at all. */
const kinds = {
  /** The daemon dies at once. */
  crash: [3_000, 40_000],
  /** It dies three times in a row, mostly while it is still looking what is there. */
  storm: [30_000, 120_000],
  /** It is asked to end, by an update or a person. */
  stop: [15_000, 90_000],
  /** A second daemon starts while the first lives on, deaf to the lock. */
  rival: [8_000, 60_000],
  holderKill: [15_000, 90_000],
  agentKill: [5_000, 60_000],
  reboot: [40_000, 200_000],
  diskFull: [10_000, 60_000],
  diskSlow: [10_000, 60_000],
  /** Holders cannot write their logs and hold up what prints. */
  logFull: [10_000, 60_000],
  /** A lid is closed for seconds to hours. */
  sleep: [10_000, 60_000],
  /** The wall clock is set up to a day forward or back. */
  wrongClock: [15_000, 90_000],
} as const satisfies Record<string, readonly [number, number]>;

export type FaultKind = keyof typeof kinds;

export const faultKinds = Object.keys(kinds) as FaultKind[];

/** What is not struck by but always there. */
const tendencies = {
  /** How much of the world misbehaves on its own: agents that hang, git that fails. 0 to 1. */
  badness: (random: SimRandom) => (random.chance(0.6) ? random.float() : 0),
  /** How often the daemon dies between a commit and what follows from it. */
  crashAfterCommit: (random: SimRandom) => (random.chance(0.4) ? random.float() * 0.03 : 0),
  /** How often a write fails although it took place. */
  lostAnswer: (random: SimRandom) => (random.chance(0.3) ? random.float() * 0.05 : 0),
} as const;

type Tendency = keyof typeof tendencies;

/** All that can be left out of a history. */
export type FaultName = FaultKind | Tendency;

export const faultNames: readonly FaultName[] = [...faultKinds, ...(Object.keys(tendencies) as Tendency[])];

export type FaultPlan = { meanMs: Partial<Record<FaultKind, number>> } & Record<Tendency, number>;

/** Each kind is in half of the histories; one history in ten has none at all. */
export function drawFaults(random: SimRandom, without: ReadonlySet<FaultName>): FaultPlan {
  const isPeaceful = random.chance(0.1);
  const plan: FaultPlan = { meanMs: {}, badness: 0, crashAfterCommit: 0, lostAnswer: 0 };
  for (const kind of faultKinds) {
    const [low, high] = kinds[kind];
    const [isThere, meanMs] = [random.chance(0.5), random.int(low, high)];
    if (isThere && !isPeaceful && !without.has(kind)) plan.meanMs[kind] = meanMs;
  }
  for (const name of Object.keys(tendencies) as Tendency[]) {
    const amount = tendencies[name](random.stream(name));
    if (!isPeaceful && !without.has(name)) plan[name] = amount;
  }
  return plan;
}
