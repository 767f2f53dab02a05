/** `node bench/journal.ts`: what an acknowledged event costs, and how fast a long journal opens. Prints JSON. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalRow } from '../src/fleet/index.ts';
import { type LocalJournal, openJournal } from '../src/store/index.ts';
import { bundle, workerSource } from '../test/support/store/bundle.ts';
import { ManualClock, temporaryFolder } from '../test/support/store/fixtures.ts';

const history = 100_000;
const rounds = 5;
const snapshotBytes = 1_000_000;

using folder = temporaryFolder();
const workerEntry = bundle(workerSource, folder.path);
const path = join(folder.path, 'journal.db');
const open = () => openJournal({ path, workerEntry, clock: new ManualClock(), ballastBytes: 0 });

function row(seq: number): JournalRow {
  const detail = 'x'.repeat(80 + ((seq * 31) % 80));
  const evidence = { source: 'hook', signal: 'PreToolUse', at: seq, confidence: 'sure', detail } as const;
  return {
    seq,
    at: seq,
    host: 'h1',
    event: { type: 'session.stateChanged', session: 's_abcdefgh', from: 'ready', to: 'working', evidence },
  };
}

function quantiles(times: number[]): { p50: number; p99: number } {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (part: number) => Number((sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(3));
  return { p50: at(0.5), p99: at(0.99) };
}

/** What the disk itself takes to make 4 KiB durable, at the same moment. */
function measureDisk() {
  const file = openSync(join(folder.path, 'raw'), 'w');
  const times = Array.from({ length: 500 }, (_, n) => {
    const begin = performance.now();
    writeSync(file, Buffer.alloc(4096, n), 0, 4096, n * 4096);
    fdatasyncSync(file);
    return performance.now() - begin;
  });
  closeSync(file);
  return quantiles(times);
}

let seq = 0;

/** Times of `count` appends by each of `callers`, each waiting for its own before the next. */
async function appends(journal: LocalJournal, callers: number, count: number): Promise<number[]> {
  const times: number[] = [];
  const call = async () => {
    for (let n = 0; n < count; n += 1) {
      const begin = performance.now();
      seq += 1;
      await journal.append({ epoch: 1, rows: [row(seq)], steps: [] });
      times.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return times;
}

async function measureAppends() {
  const { journal } = await open();
  await using _journal = journal;
  await appends(journal, 1, 200);
  const alone = quantiles(await appends(journal, 1, 2_000));
  const began = performance.now();
  const together = await appends(journal, 15, 400);
  const perSecond = Math.round(together.length / ((performance.now() - began) / 1000));
  return { alone, together: quantiles(together), perSecond };
}

async function measureOpening(): Promise<number[]> {
  {
    const { journal } = await open();
    await using _journal = journal;
    while (seq < history) {
      const rows = Array.from({ length: 1_000 }, (_, n) => row(seq + n + 1));
      await journal.append({ epoch: 1, rows, steps: [] });
      seq += 1_000;
    }
    await journal.writeSnapshot(seq, JSON.stringify({ filler: 'x'.repeat(snapshotBytes) }));
  }
  const times: number[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const begin = performance.now();
    const { journal } = await open();
    times.push(Number((performance.now() - begin).toFixed(1)));
    await journal[Symbol.asyncDispose]();
  }
  return times;
}

const flushMs = measureDisk();
const appendMs = await measureAppends();
process.stdout.write(`${JSON.stringify({ flushMs, appendMs, openMs: await measureOpening() }, null, 2)}\n`);
