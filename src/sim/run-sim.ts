import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ok, type Result, refuse } from '../base/index.ts';
import { type ErrorCode, exitCodes } from '../protocol/index.ts';
import { breaks } from './breaks.ts';
import { type FaultName, faultNames } from './faults.ts';
import { type InvariantName, invariants } from './invariants.ts';
import { shrink } from './shrink.ts';
import { type Outcome, simulate } from './simulate.ts';

/** Where the report goes; `process.stdout` is one. */
export interface Output {
  write(text: string): unknown;
}

const usage = `Usage: npm run sim -- [options]

Runs the fleet's own heart and loop in a simulated world with faults, and checks what must hold.

  --seed <n>           one history
  --seeds <a>-<b>      these histories (default 1-100)
  --steps <n>          steps of trouble in each (default: drawn from the seed, 300 to 1,000)
  --without <faults>   leave these out, separated by commas:
                       ${faultNames.join(', ')}
  --break <invariant>  bend the daemon or its world on purpose; succeeds once that is noticed:
                       ${Object.keys(invariants).join(', ')}
  --json               one document instead of text
`;

interface Wish {
  from: number;
  to: number;
  steps: number | undefined;
  without: ReadonlySet<FaultName>;
  broken: InvariantName | null;
  isJson: boolean;
}

/**
 * The command line of the simulator. Answers the exit code: 0 when everything held (or, with `--break`, when the break was
 * noticed), 1 when not, 2 for arguments it does not know. `argv` is without the program and the verb.
 */
export async function runSim(argv: readonly string[], out: Output): Promise<number> {
  if (argv.includes('--help')) {
    out.write(usage);
    return exitCodes.ok;
  }
  const wish = readWish(argv);
  if (!wish.ok) {
    out.write(`${wish.message}\n\n${usage}`);
    return exitCodes.usage;
  }
  const { from, to, isJson, broken } = wish.value;
  const startedAt = performance.now();
  const hashes = createHash('sha256');
  const total = { steps: 0, crashes: 0, faults: {} as Record<string, number> };
  let failed: Outcome | null = null;
  let seed = from;
  for (; seed <= to && failed === null; seed++) {
    const outcome = await simulate(optionsOf(seed, wish.value));
    total.steps += outcome.steps;
    total.crashes += outcome.crashes;
    for (const [kind, count] of Object.entries(outcome.faults)) total.faults[kind] = (total.faults[kind] ?? 0) + count;
    hashes.update(outcome.hash);
    if (outcome.violation !== null) failed = outcome;
  }
  const summary = {
    schema: 'concert/sim-faults@1',
    seeds: seed - from,
    ...total,
    hash: hashes.digest('hex'),
    ms: Math.round(performance.now() - startedAt),
    violation: failed && { seed: failed.seed, ...failed.violation },
  };
  if (isJson) out.write(`${JSON.stringify(summary, null, 2)}\n`);
  else {
    out.write(describe(summary));
    if (failed === null) out.write(`all ${Object.keys(invariants).length} invariants held\n`);
    else out.write(describeViolation(failed) + (await describeReruns(failed, wish.value)));
  }
  return (failed === null) === (broken === null) ? exitCodes.ok : exitCodes.failed;
}

function optionsOf(seed: number, { steps, without, broken }: Wish) {
  return { seed, without, ...(steps !== undefined && { steps }), ...(broken !== null && { bend: breaks[broken] }) };
}

function readWish(argv: readonly string[]): Result<Wish, ErrorCode> {
  const text = { type: 'string' } as const;
  const options = {
    seed: text,
    seeds: text,
    steps: text,
    without: text,
    break: text,
    json: { type: 'boolean' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    values = parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    return refuse('request/invalid', (error as Error).message);
  }
  const [from, to] = (values.seeds ?? (values.seed === undefined ? '1-100' : `${values.seed}-${values.seed}`)).split(
    '-',
  );
  const numbers = { from: readNumber(from), to: readNumber(to), steps: readNumber(values.steps ?? '1') };
  if (numbers.from === null || numbers.to === null || numbers.steps === null || numbers.to < numbers.from) {
    return refuse('request/invalid', 'Seeds and steps are whole numbers: --seed 7, --seeds 1-1000, --steps 500');
  }
  const without = (values.without ?? '').split(',').filter((name) => name !== '');
  const unknown = without.find((name) => !faultNames.some((known) => known === name));
  if (unknown !== undefined) return refuse('request/invalid', `There is no fault "${unknown}"`);
  const broken = values.break ?? null;
  if (broken !== null && !Object.hasOwn(invariants, broken)) {
    return refuse('request/invalid', `There is no invariant "${broken}"`);
  }
  return ok({
    from: numbers.from,
    to: numbers.to,
    steps: values.steps === undefined ? undefined : numbers.steps,
    without: new Set(without as FaultName[]),
    broken: broken as InvariantName | null,
    isJson: values.json === true,
  });
}

function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

interface Summary {
  seeds: number;
  steps: number;
  crashes: number;
  faults: Record<string, number>;
  hash: string;
  ms: number;
}

function describe({ seeds, steps, crashes, faults, hash, ms }: Summary): string {
  const kinds = Object.entries(faults).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${seeds} ${seeds === 1 ? 'history' : 'histories'}, ${steps} steps, ${crashes} crashes of the daemon, ${ms} ms
faults: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none'}
hash: ${hash}
`;
}

/** The failure in words; empty if there is none. */
export function describeViolation({ seed, violation }: Outcome): string {
  if (violation === null) return '';
  const { invariant, message, step, lastEvents } = violation;
  return `
BROKEN in seed ${seed} at step ${step}: ${invariant}
  ${invariants[invariant]}.
  ${message}

The last events before it:
${lastEvents.map((line) => `  ${line}`).join('\n')}

`;
}

async function describeReruns(found: Outcome, wish: Wish): Promise<string> {
  const { outcome, steps, without } = await shrink(optionsOf(found.seed, wish), found);
  const stepsAsked = wish.steps === undefined ? '' : ` --steps ${wish.steps}`;
  return `Again: ${command(wish, found.seed, wish.without)}${stepsAsked}
Smaller (${outcome.violation?.step} steps): ${command(wish, found.seed, without)} --steps ${steps}
`;
}

function command({ broken }: Wish, seed: number, without: ReadonlySet<FaultName>): string {
  const leftOut = without.size > 0 ? ` --without ${[...without].join(',')}` : '';
  return `npm run sim -- --seed ${seed}${broken === null ? '' : ` --break ${broken}`}${leftOut}`;
}
