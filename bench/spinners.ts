import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { json } from 'node:stream/consumers';
import { BenchFleet } from './bench-fleet.ts';
import { cpuSeconds, sleep } from './measure.ts';
import { type BenchRow, compare } from './result.ts';
import { Tmux } from './tmux.ts';

const size = { columns: 80, rows: 24 };
const quiet = ['sleep', '100000'];
const driver = resolve(import.meta.dirname, 'spinner-driver.ts');
const goals: Record<number, number> = { 15: 1.0, 100: 1.2 };
/** A program that has just started is served eagerly for ten seconds; what is measured is the long time after them. */
const startMs = 13_000;
/** Both sides are driven once unmeasured, so that neither is measured compiling itself. */
const warmUpSeconds = 3;
/** Between the first frame and the first look at the clock. */
const leadMs = 1000;

/**
 * I1: what it costs to keep sessions that only draw a spinner, with nobody attached: CPU of daemon and holders against
 * the tmux server, each driven for the same time while the other side is still.
 */
export async function spinners(
  folder: string,
  { runs, seconds, counts }: { runs: number; seconds: number; counts: readonly number[] },
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const count of counts) {
    const home = join(folder, `spinners-${count}`);
    await using fleet = await BenchFleet.start(home, count);
    for (let i = 0; i < count; i++) await fleet.run(`quiet-${i}`, quiet, size);
    using tmux = new Tmux(home);
    for (let i = 0; i < count; i++) tmux.start(`quiet-${i}`, quiet, size);
    await sleep(startMs);

    let dropped = 0;
    const percentOfCore = async (pids: readonly number[], terminals: readonly string[], forSeconds: number) => {
      const drive = drives(terminals);
      await sleep(leadMs);
      const cpu = cpuSeconds(pids);
      const before = performance.now();
      await sleep(forSeconds * 1000);
      const percent = ((cpuSeconds(pids) - cpu) / (performance.now() - before)) * 100_000;
      dropped += (await drive.end()).dropped;
      return percent;
    };
    const ourPercent = async (forSeconds: number) => percentOfCore(fleet.pids, await fleet.terminals(), forSeconds);
    const tmuxPercent = (forSeconds: number) => percentOfCore([tmux.serverPid], tmux.terminals, forSeconds);
    await ourPercent(warmUpSeconds);
    await tmuxPercent(warmUpSeconds);

    const ours: number[] = [];
    const theirs: number[] = [];
    for (let run = 0; run < runs; run++) {
      if (run % 2 === 0) theirs.push(await tmuxPercent(seconds));
      ours.push(await ourPercent(seconds));
      if (run % 2 === 1) theirs.push(await tmuxPercent(seconds));
    }
    const goal = goals[count];
    rows.push(
      compare({
        id: 'I1',
        name: `${count} spinners, nobody attached`,
        unit: '% of a core',
        ours,
        tmux: theirs,
        ...(goal === undefined ? {} : { goal: { max: goal } }),
        ...(dropped === 0 ? {} : { note: `${dropped} frames dropped` }),
      }),
    );
  }
  return rows;
}

function drives(terminals: readonly string[]) {
  const child = spawn(process.execPath, [driver], { stdio: ['pipe', 'pipe', 'inherit'] });
  const report = json(child.stdout) as Promise<{ frames: number; dropped: number }>;
  child.stdin.end(terminals.join('\n'));
  return {
    async end() {
      child.kill('SIGTERM');
      return await report;
    },
  };
}
