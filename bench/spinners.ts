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
/** Spinners run before the measured time starts, for what starts lazily. */
const warmUpMs = 1500;

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
    const tmuxPids = [tmux.serverPid];
    await sleep(2000);

    const ours: number[] = [];
    const theirs: number[] = [];
    let dropped = 0;
    for (let run = 0; run < runs; run++) {
      for (const side of run % 2 === 0 ? ['tmux', 'ours'] : ['ours', 'tmux']) {
        const pids = side === 'tmux' ? tmuxPids : fleet.pids;
        const drive = await drives(side === 'tmux' ? tmux.terminals : await fleet.terminals());
        await sleep(warmUpMs);
        const cpu = cpuSeconds(pids);
        const before = performance.now();
        await sleep(seconds * 1000);
        const percent = ((cpuSeconds(pids) - cpu) / (performance.now() - before)) * 100_000;
        (side === 'tmux' ? theirs : ours).push(percent);
        dropped += (await drive.end()).dropped;
      }
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

async function drives(terminals: readonly string[]) {
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
