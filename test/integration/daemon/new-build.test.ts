import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { isAlive } from '../../support/built-daemon.ts';
import { TestFleet, untilTrue } from './test-fleet.ts';
import { TestTerminal } from './test-terminal.ts';

const root = resolve(import.meta.dirname, '../../..');

/** The same program as another build: a copy that calls itself by another version. */
function otherBuild(folder: string): string {
  const at = join(folder, 'other');
  mkdirSync(at);
  for (const name of ['bin', 'dist', 'package.json']) cpSync(join(root, name), join(at, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(at, 'node_modules'));
  const file = join(at, 'dist/version.json');
  writeFileSync(
    file,
    JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), version: '99.0.0', buildId: 'other' }),
  );
  return join(at, 'bin/concert');
}

interface Holder {
  id: string;
  pid: number;
  version: string;
}

function holders(fleet: TestFleet): Promise<Holder[]> {
  return fleet.json<{ checks: { name: string; message: string }[] }>('GET', '/v1/doctor').then(({ checks }) =>
    checks.flatMap(({ name, message }) => {
      const found = /^Process (\d+), .*version (\S+)$/.exec(message);
      return name.startsWith('holder ') && found !== null
        ? [{ id: name.slice(7), pid: Number(found[1]), version: found[2] ?? '' }]
        : [];
    }),
  );
}

it('keeps every session under a new build; new ones start in a new holder, and the old one drains', async () => {
  await using fleet = await TestFleet.start();
  const launcher = fleet.launcher;
  const script = 'stty raw -echo; echo ready; exec cat';
  const old = [
    await fleet.session({ argv: ['sh', '-c', script] }),
    await fleet.session({ argv: ['sh', '-c', script] }),
  ];
  const before = await Promise.all(old.map((id) => fleet.untilLive(id)));
  for (const id of old) await untilTrue('it is ready', async () => (await fleet.logOf(id)).includes('ready'));
  const [oldHolder] = await holders(fleet);

  await fleet.kill('SIGTERM');
  fleet.launcher = otherBuild(fleet.folder);
  await fleet.up();
  expect((await fleet.status()).daemon.version).toMatch(/^99\.0\.0/);
  expect((await fleet.status()).recovery).toMatchObject({ adopted: expect.arrayContaining(old), lost: [], ended: [] });
  for (const [index, id] of old.entries()) {
    expect(await fleet.until(id, () => true)).toMatchObject({ pid: before[index]?.pid, holderPid: oldHolder?.pid });
    using terminal = await TestTerminal.attach(fleet, id, { direct: index === 0 });
    await terminal.untilShown('ready');
    terminal.type('under the new build');
    await terminal.untilShown('under the new build');
  }

  const fresh = await fleet.session({ argv: ['sleep', '1000'] });
  const { holderPid } = await fleet.untilLive(fresh);
  expect(holderPid).not.toBe(oldHolder?.pid);
  expect((await holders(fleet)).map(({ version }) => version).sort()).toEqual(
    [oldHolder?.version, (await fleet.status()).daemon.version].sort(),
  );

  // And back again, as after an upgrade that was not wanted.
  await fleet.kill('SIGTERM');
  fleet.launcher = launcher;
  await fleet.up();
  for (const [index, id] of old.entries()) expect((await fleet.until(id, () => true)).pid).toBe(before[index]?.pid);
  expect((await fleet.until(fresh, () => true)).holderPid).toBe(holderPid);

  for (const id of old) await fleet.act(id, 'stop');
  for (const id of old) await fleet.until(id, ({ pid }) => pid === null);
  expect(before.some(({ pid }) => isAlive(pid ?? 0))).toBe(false);
  expect((await fleet.until(fresh, () => true)).pid).not.toBe(null);
}, 60_000);
