import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchFleet } from './bench-fleet.ts';
import { privateMiB, sleep } from './measure.ts';
import { payloadFile } from './payload.ts';
import { type BenchRow, measure } from './result.ts';
import { Tmux } from './tmux.ts';

const size = { columns: 200, rows: 50 };
const sessionsMax = 15;
const historyRows = 1000;
/** For garbage of the start and of the fill to go where it may go. */
const settleMs = 4000;

/**
 * M1: private memory of daemon and holder once 15 sessions have their screens full, and what each session after the
 * first added to it.
 */
export async function memory(folder: string, { runs }: { runs: number }): Promise<BenchRow[]> {
  const fill = join(folder, 'fill.txt');
  const log = readFileSync(payloadFile(join(folder, 'payload'), 'log', 400_000), 'utf8');
  writeFileSync(
    fill,
    log
      .split('\n')
      .slice(0, historyRows + size.rows)
      .join('\n'),
  );
  const filled = ['sh', '-c', `cat "${fill}"; exec sleep 100000`];

  const whole: number[] = [];
  const growth: number[] = [];
  const theirs: number[] = [];
  for (let run = 0; run < runs; run++) {
    const home = join(folder, `memory-${run}`);
    await using fleet = await BenchFleet.start(home, sessionsMax);
    await fleet.run('first', filled, size);
    await sleep(settleMs);
    const first = privateMiB(fleet.pids);
    for (let i = 1; i < sessionsMax; i++) await fleet.run(`filled-${i}`, filled, size);
    await sleep(settleMs);
    const all = privateMiB(fleet.pids);
    whole.push(all);
    growth.push((all - first) / (sessionsMax - 1));

    using tmux = new Tmux(home);
    for (let i = 0; i < sessionsMax; i++) tmux.start(`filled-${i}`, filled, size);
    await sleep(1000);
    theirs.push(privateMiB([tmux.serverPid]));
  }
  return [
    measure({
      id: 'M1',
      name: 'private memory, 15 sessions, 200 x 1,000 rows',
      unit: 'MiB',
      ours: whole,
      tmux: theirs,
      goal: { max: 250 },
    }),
    measure({ id: 'M1', name: 'growth per session', unit: 'MiB', ours: growth, goal: { max: 8 } }),
  ];
}
