/** `append-until-killed <journal> <worker> <epoch>`: appends for ever, tells each acknowledged event on its own line. */
import { pathToFileURL } from 'node:url';
import { openJournal } from '../../../src/store/journal.ts';
import { ManualClock, rows } from './fixtures.ts';

const [, , path = '', worker = '', epoch = ''] = process.argv;
const batchRows = 3;
const callers = 6;

process.stdout.write('opening\n');
const {
  journal,
  condition,
  rows: found,
  snapshot,
} = await openJournal({
  path,
  workerEntry: pathToFileURL(worker),
  clock: new ManualClock(),
  ballastBytes: 0,
});
if (condition.kind !== 'sound') throw new Error(condition.message);
let nextSeq = (found.at(-1)?.seq ?? snapshot?.seq ?? 0) + 1;

async function appendForEver(): Promise<never> {
  for (;;) {
    const first = nextSeq;
    nextSeq += batchRows;
    await journal.append({ epoch: Number(epoch), rows: rows(first, batchRows), steps: [] });
    process.stdout.write(`${first + batchRows - 1}\n`);
    if (first % 30 === 1) await journal.writeSnapshot(first, JSON.stringify({ seq: first }));
  }
}

await Promise.all(Array.from({ length: callers }, appendForEver));
