import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { coordinatorContract } from '../../test/support/coordinator-contract.ts';
import { bundle, workerSource } from '../../test/support/store/bundle.ts';
import { ManualClock, temporaryFolder } from '../../test/support/store/fixtures.ts';
import { openJournal } from './journal.ts';
import { openLocalCoordinator } from './local-coordinator.ts';

const shared = temporaryFolder();
const workerEntry = bundle(workerSource, shared.path);
afterAll(() => shared[Symbol.dispose]());

describe('the local coordinator', () => {
  for (const { name, run } of coordinatorContract) {
    test(name, async () => {
      using folder = temporaryFolder();
      const clock = new ManualClock();
      const gone = new Set<string>();
      const { journal } = await openJournal({
        path: join(folder.path, 'journal.db'),
        workerEntry,
        clock,
        ballastBytes: 0,
      });
      await using _journal = journal;
      const blobs = join(folder.path, 'blobs');
      const isOwnerGone = (owner: string) => gone.has(owner);
      await using coordinator = await openLocalCoordinator({ journal, epoch: 1, blobs, clock, isOwnerGone });
      await run({
        coordinator,
        async lose(owner) {
          gone.add(owner);
        },
        async pass(ms) {
          clock.advance(ms);
        },
        async damageBlob(sha256) {
          const bytes = readFileSync(join(blobs, sha256));
          bytes[0] = (bytes[0] ?? 0) ^ 1;
          writeFileSync(join(blobs, sha256), bytes);
        },
      });
    });
  }
});
