import { statSync } from 'node:fs';
import { join } from 'node:path';
import { BenchFleet } from './bench-fleet.ts';
import { cpuSeconds, sleep, until } from './measure.ts';
import { type PayloadKind, payloadFile } from './payload.ts';
import { type BenchRow, compare } from './result.ts';
import { Tmux } from './tmux.ts';

const size = { columns: 200, rows: 50 };
/** Work that follows the last byte (a garbage collection, a checkpoint) counts too. */
const settleMs = 300;
const warmUpMegabytes = 10;
const goals: Record<PayloadKind, number> = { log: 0.85, tui: 0.65 };

/** Prints each file it is told and then says so, in a terminal that echoes nothing. */
const printer = [
  'sh',
  '-c',
  `stty -echo; while read -r file mark; do cat "$file"; printf '\\033[0m\\n%s\\n' "$mark"; done`,
];

interface Run {
  megabytesPerSecond: number;
  cpuPer100Megabytes: number;
}

/**
 * T1: a session prints a file with one terminal attached that takes and drops everything. Time ends when that terminal
 * has the last byte and, for us, the daemon's screen has it too. CPU is that of all processes of ours or of tmux (its
 * client included, since it is what carries bytes to a terminal); the printing program and the taking terminal are not.
 */
export async function throughput(
  folder: string,
  { runs, megabytes }: { runs: number; megabytes: number },
): Promise<BenchRow[]> {
  await using fleet = await BenchFleet.start(folder, 1);
  const session = await fleet.run('printer', printer, size);
  const terminal = await fleet.attach(session, { direct: true, ...size });
  const ourMarks = new MarkWatch();
  terminal.onData = (bytes) => ourMarks.see(bytes);

  using tmux = new Tmux(folder);
  tmux.start('printer', printer, size);
  const tmuxMarks = new MarkWatch();
  const client = tmux.attach('printer', size, (bytes) => tmuxMarks.see(bytes));
  const tmuxPids = [tmux.serverPid, client.pid];
  await sleep(500);

  const rows: BenchRow[] = [];
  for (const kind of ['log', 'tui'] as const) {
    const file = payloadFile(join(folder, 'payload'), kind, megabytes * 1e6);
    const print = {
      tmux: async (path: string, mark: string) => {
        client.write(`${path} ${mark}\r`);
        await tmuxMarks.comes(mark);
      },
      ours: async (path: string, mark: string) => {
        terminal.write(`${path} ${mark}\r`);
        await ourMarks.comes(mark);
        await until('The screen has it all', async () => (await terminal.screenOffset()) >= terminal.offset);
      },
    };
    const warmUp = payloadFile(join(folder, 'payload'), kind, warmUpMegabytes * 1e6);
    await print.ours(warmUp, `bench-${kind}-warm-up`);
    await print.tmux(warmUp, `bench-${kind}-warm-up`);
    const ours: Run[] = [];
    const theirs: Run[] = [];
    for (let run = 0; run < runs; run++) {
      const mark = `bench-${kind}-${run}-done`;
      const runTmux = async () => theirs.push(await timed(tmuxPids, file, () => print.tmux(file, mark)));
      if (run % 2 === 0) await runTmux();
      ours.push(await timed(fleet.pids, file, () => print.ours(file, mark)));
      if (run % 2 === 1) await runTmux();
    }
    rows.push(
      compare({
        id: 'T1',
        name: `CPU of the whole path, ${kind}`,
        unit: 's/100 MB',
        ours: ours.map(({ cpuPer100Megabytes }) => cpuPer100Megabytes),
        tmux: theirs.map(({ cpuPer100Megabytes }) => cpuPer100Megabytes),
        goal: { max: goals[kind] },
      }),
      compare({
        id: 'T1',
        name: `throughput to terminal and screen, ${kind}`,
        unit: 'MB/s',
        ours: ours.map(({ megabytesPerSecond }) => megabytesPerSecond),
        tmux: theirs.map(({ megabytesPerSecond }) => megabytesPerSecond),
        goal: { min: 1.4 },
      }),
    );
  }
  return rows;
}

async function timed(pids: readonly number[], file: string, print: () => Promise<void>): Promise<Run> {
  const megabytes = statSync(file).size / 1e6;
  const cpu = cpuSeconds(pids);
  const before = performance.now();
  await print();
  const seconds = (performance.now() - before) / 1000;
  await sleep(settleMs);
  return {
    megabytesPerSecond: megabytes / seconds,
    cpuPer100Megabytes: ((cpuSeconds(pids) - cpu) / megabytes) * 100,
  };
}

/** Looks for a text in a stream that may cut it anywhere. */
class MarkWatch {
  #wanted = '';
  #found: () => void = () => {};
  #tail = Buffer.alloc(0);

  see(bytes: Uint8Array): void {
    if (this.#wanted === '') return;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const seam = Buffer.concat([this.#tail, text.subarray(0, 64)]);
    if (text.includes(this.#wanted) || seam.includes(this.#wanted)) {
      this.#wanted = '';
      this.#found();
    }
    this.#tail = Buffer.concat([this.#tail, text.subarray(-64)]).subarray(-64);
  }

  comes(mark: string): Promise<void> {
    this.#tail = Buffer.alloc(0);
    this.#wanted = mark;
    return new Promise((resolve) => {
      this.#found = resolve;
    });
  }
}
