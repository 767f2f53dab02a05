import { type FaultName, faultNames } from './faults.ts';
import { type Outcome, type SimulationOptions, simulate } from './simulate.ts';

/** Fewer steps are not worth another run. */
const stepsMin = 10;

export interface Shrunk {
  outcome: Outcome;
  /** Trouble steps it takes. */
  steps: number;
  /** Faults it does not take. */
  without: ReadonlySet<FaultName>;
}

/** The same invariant broken by fewer faults in fewer steps, as far as leaving out and halving can find it. */
export async function shrink(options: SimulationOptions, found: Outcome): Promise<Shrunk> {
  let best: Shrunk = {
    outcome: found,
    steps: Math.min(options.steps ?? found.steps, (found.violation?.step ?? found.steps) + 1),
    without: new Set(options.without),
  };
  const attempt = async (steps: number, without: ReadonlySet<FaultName>): Promise<void> => {
    const outcome = await simulate({ ...options, steps, without });
    if (outcome.violation?.invariant === found.violation?.invariant) best = { outcome, steps, without };
  };
  for (const name of faultNames) {
    if (!best.without.has(name)) await attempt(best.steps, new Set([...best.without, name]));
  }
  for (let cut = best.steps >> 1; cut >= stepsMin; cut >>= 1) {
    for (let before = 0; before !== best.steps && best.steps > cut; ) {
      before = best.steps;
      await attempt(best.steps - cut, best.without);
    }
  }
  return best;
}
