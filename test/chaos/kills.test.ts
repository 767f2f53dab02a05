import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';
import { killDaemons } from './daemon-kills.ts';
import { killHolders } from './holder-kills.ts';

/** How often the ordinary run shoots; `npm run chaos -- --daemon 1000 --holder 300` is the long one. */
const daemonKills = 100;
const holderKills = 5;

test('a daemon shot a hundred times loses no session, no task and no byte', { timeout: 600_000 }, async () => {
  using folder = temporaryFolder();
  const { readyMs, bytesChecked, tasksAcknowledged, ...report } = await killDaemons({
    folder: folder.path,
    kills: daemonKills,
    sessions: 15,
    seed: 7,
  });
  process.stdout.write(
    `ready again after ${JSON.stringify(readyMs)} ms, ${bytesChecked} bytes, ${tasksAcknowledged} tasks\n`,
  );
  expect(report).toEqual({ kills: daemonKills, sessions: 15, tasksLost: 0, sessionsLost: 0, unequalLogs: 0 });
  expect(tasksAcknowledged).toBeGreaterThan(15);
});

test('a shot holder is reported, its log stays readable and no child lives on', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder();
  const { lostAfterMs, ...report } = await killHolders({ folder: folder.path, kills: holderKills });
  expect(report).toEqual({ kills: holderKills, notReported: 0, unreadableLogs: 0, orphans: 0 });
  expect(lostAfterMs.max).toBeLessThan(2000);
});
