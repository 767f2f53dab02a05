import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type IPty, spawn } from 'node-pty';
import { childrenOf } from '../test/support/built-daemon.ts';
import { BenchFleet } from './bench-fleet.ts';
import { median, sleep } from './measure.ts';
import { payloadFile } from './payload.ts';
import { type BenchRow, measure, notMeasured } from './result.ts';
import { TerminalClient } from './terminal-client.ts';
import { Tmux } from './tmux.ts';

const size = { columns: 200, rows: 50 };
const tabs = 3;
const launcher = resolve(import.meta.dirname, '../bin/concert');
const lastLine = 'the last line of this screen';

/**
 * A1: first paint. Of a tab switch: from the request on a connection that stands to the whole screen's bytes. Of a cold
 * `concert attach`: from the start of its process to the last line on its terminal.
 */
export async function attach(
  folder: string,
  { runs, switches }: { runs: number; switches: number },
): Promise<BenchRow[]> {
  const file = payloadFile(join(folder, 'payload'), 'log', 400_000);
  const program = join(folder, 'filled.sh');
  writeFileSync(program, `head -n 1100 "${file}"; printf '${lastLine}'; exec sleep 100000\n`);
  const filled = ['sh', program];
  await using fleet = await BenchFleet.start(folder, tabs);
  const sessions: string[] = [];
  for (let i = 0; i < tabs; i++) sessions.push(await fleet.run(`tab-${i}`, filled, size));
  using tmux = new Tmux(folder);
  tmux.start('filled', filled, size);
  await sleep(1500);

  const paint = async (history: number, i: number) => {
    using client = await TerminalClient.open(fleet.daemon.paths.socket, sessions[i % tabs] ?? '');
    return (await client.attach({ direct: true, history, ...size })).ms;
  };
  const perRun = async (history: number) => {
    const medians: number[] = [];
    for (let run = 0; run < runs; run++) {
      const times: number[] = [];
      for (let i = 0; i < switches; i++) times.push(await paint(history, i));
      medians.push(median(times));
    }
    return medians;
  };
  const rows = [
    measure({ id: 'A1', name: 'tab switch, screen only', unit: 'ms', ours: await perRun(0), goal: { max: 5 } }),
    measure({ id: 'A1', name: 'tab switch, screen and 1,000 rows', unit: 'ms', ours: await perRun(1000) }),
  ];

  const env = { ...fleet.daemon.env, TERM: 'xterm-256color' };
  const attachArgs = [launcher, 'attach', sessions[0] ?? ''];
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let run = 0; run < runs; run++) {
    const took = await untilPainted(
      spawn(process.execPath, attachArgs, { cols: size.columns, rows: size.rows, env, encoding: null }),
    );
    if (took === null) break;
    ours.push(took);
    theirs.push((await untilPainted(tmux.attach('filled', size, () => {}))) ?? Number.NaN);
  }
  const name = 'cold `concert attach` to first paint';
  if (ours.length === 0) return [...rows, notMeasured('A1', name, 'ms', 'this version has no `concert attach`')];
  return [...rows, measure({ id: 'A1', name, unit: 'ms', ours, tmux: theirs, goal: { max: 120 } })];
}

/** Null when it ended without having painted. Ends the client and what it started. */
function untilPainted(client: IPty): Promise<number | null> {
  const before = performance.now();
  return new Promise((resolve) => {
    let tail = '';
    const done = (took: number | null) => {
      for (const pid of childrenOf(client.pid)) process.kill(pid, 'SIGHUP');
      client.kill();
      resolve(took);
    };
    client.onData((data) => {
      tail = (tail + String(data)).slice(-4096);
      if (tail.includes(lastLine)) done(performance.now() - before);
    });
    client.onExit(() => resolve(null));
  });
}
