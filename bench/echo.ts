import { join } from 'node:path';
import { BenchFleet } from './bench-fleet.ts';
import { quantile, sleep } from './measure.ts';
import { payloadFile } from './payload.ts';
import { type BenchRow, compare } from './result.ts';
import { Tmux } from './tmux.ts';

const size = { columns: 80, rows: 24 };
const floodSize = { columns: 200, rows: 50 };
const echo = ['sh', '-c', 'stty raw -echo; exec cat'];
/** None of these ends a control sequence that tmux sends. */
const keys = '%^&*_@~|';
const warmUpKeys = 20;
/** A key that is not echoed by then counts as this. */
const lostMs = 2000;
/** For a flood to fill what can be filled before the first key. */
const floodStartMs = 300;

type Load = 'idle' | 'flood';
type Path = 'tmux' | 'unix' | 'WebSocket';

interface Wire {
  type(key: string): void;
  onData(listener: (bytes: Uint8Array) => void): void;
}

const goals: Record<Load, Record<'p50' | 'p99', Partial<Record<Path, number>>>> = {
  idle: { p50: { unix: 1.5, WebSocket: 1.7 }, p99: {} },
  flood: { p50: { unix: 0.8, WebSocket: 0.8 }, p99: { unix: 1, WebSocket: 1 } },
};

/**
 * L1: from a key to its echo, through a direct terminal (unix socket of the holder), a WebSocket and tmux; idle, and
 * with a second session of the same server that prints without end. Only the side under test floods at a time.
 */
export async function keyEcho(
  folder: string,
  { runs, samples }: { runs: number; samples: number },
): Promise<BenchRow[]> {
  const file = payloadFile(join(folder, 'payload'), 'tui', 10e6);
  const flood = ['sh', '-c', `while :; do cat "${file}"; done`];

  await using fleet = await BenchFleet.start(folder, 3);
  const floodSession = await fleet.run('flood', flood, floodSize);
  const ourFlood = new Flood(await fleet.pid(floodSession));
  const direct = await fleet.attach(await fleet.run('echo-unix', echo, size), { direct: true, ...size });
  const relayed = await fleet.attach(await fleet.run('echo-ws', echo, size), { direct: false, ...size });

  using tmux = new Tmux(folder);
  tmux.start('flood', flood, floodSize);
  const tmuxFlood = new Flood(tmux.panePid('flood'));
  tmux.start('echo', echo, size);
  let onTmuxData: (bytes: Uint8Array) => void = () => {};
  const client = tmux.attach('echo', size, (bytes) => onTmuxData(bytes));

  const wires: Record<Path, Wire> = {
    tmux: {
      type: (key) => client.write(key),
      onData: (listener) => {
        onTmuxData = listener;
      },
    },
    unix: clientWire(direct),
    WebSocket: clientWire(relayed),
  };
  const floods: Record<Path, Flood> = { tmux: tmuxFlood, unix: ourFlood, WebSocket: ourFlood };
  await sleep(500);

  const rows: BenchRow[] = [];
  for (const load of ['idle', 'flood'] as const) {
    const times: Record<Path, number[][]> = { tmux: [], unix: [], WebSocket: [] };
    for (let run = 0; run < runs; run++) {
      for (const path of ['tmux', 'unix', 'WebSocket'] as const) {
        using _ = load === 'flood' ? await floods[path].on() : null;
        times[path].push(await typeKeys(wires[path], samples));
      }
    }
    for (const path of ['unix', 'WebSocket'] as const) {
      for (const [name, q] of [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const) {
        const max = goals[load][name][path];
        rows.push(
          compare({
            id: 'L1',
            name: `key echo ${load === 'idle' ? 'idle' : 'beside a flood'}, ${path}, ${name}`,
            unit: 'ms',
            ours: times[path].map((run) => quantile(run, q)),
            tmux: times.tmux.map((run) => quantile(run, q)),
            ...(max === undefined ? {} : { goal: { max } }),
          }),
        );
      }
    }
  }
  return rows;
}

function clientWire(client: { write(text: string): void; onData: (bytes: Uint8Array) => void }): Wire {
  return {
    type: (key) => client.write(key),
    onData: (listener) => {
      client.onData = listener;
    },
  };
}

async function typeKeys(wire: Wire, samples: number): Promise<number[]> {
  const times: number[] = [];
  let wanted = '';
  let echoed: () => void = () => {};
  wire.onData((bytes) => {
    if (wanted !== '' && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(wanted)) echoed();
  });
  for (let i = 0; i < samples + warmUpKeys; i++) {
    const key = keys[i % keys.length] ?? '%';
    const before = performance.now();
    const took = await new Promise<number>((resolve) => {
      const timer = setTimeout(() => resolve(lostMs), lostMs);
      echoed = () => {
        clearTimeout(timer);
        resolve(performance.now() - before);
      };
      wanted = key;
      wire.type(key);
    });
    wanted = '';
    if (i >= warmUpKeys) times.push(took);
    await sleep(3 + (i % 5));
  }
  return times;
}

/** A printing process group that stands still until it is wanted. */
class Flood {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
    process.kill(-pid, 'SIGSTOP');
  }

  async on(): Promise<Disposable> {
    process.kill(-this.#pid, 'SIGCONT');
    await sleep(floodStartMs);
    return { [Symbol.dispose]: () => void process.kill(-this.#pid, 'SIGSTOP') };
  }
}
