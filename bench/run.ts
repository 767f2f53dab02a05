import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../test/support/temporary.ts';
import { attach } from './attach.ts';
import { keyEcho } from './echo.ts';
import { memory } from './memory.ts';
import { type BenchResult, type BenchRow, type GoalId, goalIds, printRow } from './result.ts';
import { spinners } from './spinners.ts';
import { throughput } from './throughput.ts';
import { ensureTmux } from './tmux.ts';

/**
 * `npm run bench [-- --only T1,L1] [--quick] [--json] [--runs n]`: the numbers of design section 13, side by side with
 * tmux in the same run. Prints a row a number and writes `bench/results.json`. `--quick` shows that everything runs; its
 * numbers mean little.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: goalIds.join(',') },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    runs: { type: 'string' },
    out: { type: 'string', default: resolve(import.meta.dirname, 'results.json') },
  },
});
const isQuick = values.quick;
const runs = values.runs === undefined ? (isQuick ? 1 : 5) : Number(values.runs);

const benches: Record<GoalId, (folder: string) => Promise<BenchRow[]>> = {
  T1: (folder) => throughput(folder, { runs, megabytes: isQuick ? 5 : 40 }),
  L1: (folder) => keyEcho(folder, { runs, samples: isQuick ? 50 : 300 }),
  M1: (folder) => memory(folder, { runs }),
  A1: (folder) => attach(folder, { runs, switches: isQuick ? 10 : 60 }),
  I1: (folder) => spinners(folder, { runs, seconds: isQuick ? 2 : 10, counts: isQuick ? [15] : [15, 100] }),
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const wanted = values.only.split(',').map(asGoalId);
const say = (line: string) => void (values.json ? process.stderr : process.stdout).write(`${line}\n`);
const startedAt = new Date().toISOString();
const started = performance.now();
const tmux = ensureTmux();
const loadAtStart = loadavg()[0] ?? 0;
const rows: BenchRow[] = [];
for (const id of wanted) {
  using folder = temporaryFolder();
  for (const row of await benches[id](folder.path)) {
    rows.push(row);
    say(printRow(row));
  }
}
const result: BenchResult = {
  schema: 'concert/bench@1',
  startedAt,
  seconds: Math.round((performance.now() - started) / 1000),
  isQuick,
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    tmux,
    loadAtStart,
    loadAtEnd: loadavg()[0] ?? 0,
  },
  build: buildId(),
  rows,
};
writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
const { cores, kernel } = result.machine;
say(
  `${cores} cores, Linux ${kernel}, Node ${process.version}, ${tmux}, load ${loadAtStart.toFixed(1)} at the start; ${result.seconds} s`,
);
process.exit();

function asGoalId(text: string): GoalId {
  const id = goalIds.find((known) => known === text);
  if (id === undefined) throw new Error(`"${text}" is no bench: choose from ${goalIds.join(', ')}`);
  return id;
}

function buildId(): string {
  const path = join(import.meta.dirname, '../dist/version.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { buildId: string }).buildId;
}
