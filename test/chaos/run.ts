import { parseArgs } from 'node:util';
import { temporaryFolder } from '../support/temporary.ts';
import { killDaemons } from './daemon-kills.ts';
import { killHolders } from './holder-kills.ts';

/** `npm run chaos -- --daemon 1000 [--holder 300] [--sessions 15] [--seed 1]`: counts printed as JSON, exit 1 when any loss is not 0. */
const { values } = parseArgs({
  options: {
    daemon: { type: 'string', default: '0' },
    holder: { type: 'string', default: '0' },
    sessions: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const progress = (what: string, all: number) => (done: number) => {
  if (done % 50 === 0) process.stderr.write(`${what}: ${done} of ${all}\n`);
};
let losses = 0;

if (Number(values.daemon) > 0) {
  using folder = temporaryFolder();
  const kills = Number(values.daemon);
  const report = await killDaemons({
    folder: folder.path,
    kills,
    sessions: Number(values.sessions),
    seed,
    onKill: progress('daemon kills', kills),
  });
  process.stdout.write(`${JSON.stringify({ chaos: 'daemon', seed, ...report })}\n`);
  losses += report.tasksLost + report.sessionsLost + report.unequalLogs + (report.readyMs.p99 < 1000 ? 0 : 1);
}
if (Number(values.holder) > 0) {
  using folder = temporaryFolder();
  const kills = Number(values.holder);
  const report = await killHolders({ folder: folder.path, kills, onKill: progress('holder kills', kills) });
  process.stdout.write(`${JSON.stringify({ chaos: 'holder', seed, ...report })}\n`);
  losses += report.notReported + report.unreadableLogs + report.orphans;
}
process.exitCode = losses === 0 ? 0 : 1;
