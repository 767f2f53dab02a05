/**
 * A daemon reduced to what a test kills: starts sessions and reads them until it is gone. Takes its orders as one JSON
 * argument; says `ready` once it reads.
 */
import { silentLog } from '../../../src/base/index.ts';
import { HolderPool } from '../../../src/terminal/holder-pool.ts';
import { clock, Folder, program, Reader, random, shell, startOf } from './support.ts';

interface Orders {
  root: string;
  epoch: number;
  sessions: { session: string; script: string }[];
}

const { root, epoch, sessions } = JSON.parse(process.argv[2] ?? '{}') as Orders;
const { pool } = await HolderPool.open({
  registryDir: `${root}/registry`,
  runDir: `${root}/run`,
  stateDir: `${root}/state`,
  version: '0.0.0',
  epoch,
  sessionsMax: 16,
  program,
  clock,
  random,
  log: silentLog,
});
const folder = Object.assign(Object.create(Folder.prototype) as Folder, { path: root });
for (const { session, script } of sessions) {
  const placed = await pool.start(startOf(folder, { session, ...shell(script) }));
  if (!placed.ok) throw new Error(placed.message);
  const reader = new Reader(placed.value.connection, placed.value.channel.channel);
  await reader.until(({ offset }) => offset > 0);
}
process.stdout.write('ready\n');
