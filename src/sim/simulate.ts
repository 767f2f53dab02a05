import type { Bend } from './bend.ts';
import type { FaultName } from './faults.ts';
import type { Violation } from './invariants.ts';
import { SimRandom } from './sim-random.ts';
import { SimWorld } from './sim-world.ts';

/** Steps a history takes to come to rest at most; more means that something goes round in circles. */
const calmStepsMax = 6_000;
/** What holds between steps is looked at this often, whole states and documents this often, in steps; the rest as it happens. */
const checkEverySteps = 6;
const compareEverySteps = 60;

export interface SimulationOptions {
  seed: number;
  /** Steps before calm; drawn from the seed when left out. */
  steps?: number;
  without?: ReadonlySet<FaultName>;
  bend?: Bend;
}

export interface Outcome {
  seed: number;
  steps: number;
  crashes: number;
  /** What went wrong in the world, by kind. */
  faults: Record<string, number>;
  /** SHA-256 of everything that happened; the same seed gives the same. */
  hash: string;
  violation: (Violation & { step: number; lastEvents: string[] }) | null;
}

/** One history from one seed: trouble for so many steps, then calm until everything rests. */
export async function simulate({ seed, steps, without, bend }: SimulationOptions): Promise<Outcome> {
  const world = new SimWorld({ seed, without: without ?? new Set(), bend: bend ?? {} });
  const { timeline, watch, history } = world;
  const troubled = steps ?? Math.round(300 + 700 * new SimRandom(seed, 'steps').float() ** 3);
  let step = 0;
  world.begin();
  await quiet();
  for (; watch.violation === null; step++) {
    if (step === troubled) world.calm();
    const what = timeline.next();
    if (what === null) break;
    history.add(`${timeline.monotonic()} ${what}`);
    await quiet();
    if (step % checkEverySteps === 0) world.check();
    if (step % compareEverySteps === 0) world.compare();
    watch.expect(step < troubled + calmStepsMax, 'quiet', () => 'It never comes to rest');
  }
  if (watch.violation === null) world.checkEnd();
  const { violation } = watch;
  const lastEvents = history.last();
  return {
    seed,
    steps: step,
    crashes: world.crashes,
    faults: world.happened as Record<string, number>,
    hash: history.digest(),
    violation: violation && { ...violation, step, lastEvents },
  };
}

/** Every promise that can go on has gone on: the tick queue runs only when no microtask is left. */
function quiet(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
