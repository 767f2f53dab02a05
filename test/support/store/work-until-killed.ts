/**
 * `work-until-killed <journal> <worker> <epoch> <blobs>`: claims tasks of the pool and commits them, under an owner of
 * its own; every earlier owner is gone. Tells each commit that counted, and `idle` when nothing is left.
 */
import { pathToFileURL } from 'node:url';
import { openJournal } from '../../../src/store/journal.ts';
import { openLocalCoordinator } from '../../../src/store/local-coordinator.ts';
import { ManualClock } from './fixtures.ts';

const [, , path = '', worker = '', epoch = '', blobs = ''] = process.argv;
const owner = `o${epoch}`;
const clock = new ManualClock();
const { journal } = await openJournal({ path, workerEntry: pathToFileURL(worker), clock, ballastBytes: 0 });
const isOwnerGone = (other: string) => other !== owner;
const coordinator = await openLocalCoordinator({ journal, epoch: Number(epoch), blobs, clock, isOwnerGone });

/** The commit is told before it is asked for as well: a kill may fall between the commit and its word. */
async function work(): Promise<void> {
  for (;;) {
    const claim = await coordinator.claim('p', owner);
    if (!claim) return;
    process.stdout.write(`try ${claim.task} ${claim.token}\n`);
    if (claim.token % 2 === 1 && claim.task.endsWith('3')) {
      await coordinator.release(claim);
      continue;
    }
    if (await coordinator.commit(claim)) process.stdout.write(`done ${claim.task} ${claim.token}\n`);
  }
}

await Promise.all(Array.from({ length: 4 }, work));
process.stdout.write('idle\n');
await coordinator[Symbol.asyncDispose]();
await journal[Symbol.asyncDispose]();
