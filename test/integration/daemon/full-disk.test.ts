import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { RunDocument, SnapshotDocument } from '../../../src/protocol/index.ts';
import { isAlive } from '../../support/built-daemon.ts';
import { TestFleet, untilTrue } from './test-fleet.ts';
import { canMount } from './tmpfs.ts';

const printer = resolve(import.meta.dirname, '../../chaos/printer.ts');
const onDisk = it.skipIf(!canMount);

/** Prints to a raw terminal until told to end; what it wrote is in a file outside the small disk. */
async function print(fleet: TestFleet, name: string, bytesPerTick: number): Promise<string> {
  const argv = [process.execPath, printer, join(fleet.folder, name), '1', String(bytesPerTick), '10', '1e12'];
  const session = await fleet.session({ name, argv });
  await fleet.untilLive(session);
  return session;
}

/** Ends it and compares its log with what it says it wrote. */
async function expectExact(fleet: TestFleet, session: string, name: string): Promise<void> {
  const { pid } = await fleet.until(session, () => true);
  process.kill(pid ?? 0, 'SIGTERM');
  await untilTrue(`${name} wrote its account`, () => existsSync(join(fleet.folder, name)));
  await fleet.until(session, (document) => document.pid === null);
  const written = JSON.parse(readFileSync(join(fleet.folder, name), 'utf8')) as { length: number; sha256: string };
  const log = await fleet.logOf(session);
  expect({ length: log.length, sha256: createHash('sha256').update(log).digest('hex') }).toEqual(written);
}

onDisk(
  'on a full disk sessions pause, commands are refused, a restart works, and with space all is there',
  async () => {
    await using fleet = TestFleet.prepareOnDisk('size=48m', { CONCERT_SLOTS: '3', CONCERT_HOLDER_RETAIN_MIB: '1' });
    const disk = fleet.disk;
    if (disk === null) throw new Error('No disk');
    await fleet.up();
    const sessions = [await print(fleet, 'one', 2000), await print(fleet, 'two', 2000)];
    await untilTrue('they print', async () => (await fleet.logOf(sessions[0] ?? '')).length > 10_000);
    const pids = await Promise.all(sessions.map(async (id) => (await fleet.until(id, () => true)).pid ?? 0));

    // Every acknowledged task must be there afterwards, wherever the disk ran full: the reserve is used up first.
    const acknowledged: RunDocument[] = [];
    let refusal: { code: string; message: string } | null = null;
    await untilTrue('a command is refused', async () => {
      disk.fillUp();
      const body = {
        cwd: fleet.folder,
        inPlace: true,
        agent: 'generic',
        argv: ['sleep', '1000'],
        prompt: 'x'.repeat(400_000),
        env: {},
      };
      const answer = await Promise.race([
        fleet.ask('POST', '/v1/tasks', body),
        new Promise<null>((resolve) => setTimeout(() => resolve(null), 1000)),
      ]);
      if (answer === null) return false;
      const document = JSON.parse(answer.body.toString('utf8')) as RunDocument & { code: string; message: string };
      if (answer.status === 200) acknowledged.push(document);
      else refusal = document;
      return refusal !== null;
    });
    expect(refusal).toMatchObject({ code: 'disk/full', message: expect.stringMatching(/full/) });
    // While not even a pause can be recorded, the host says what holds everything up.
    await untilTrue('it says so', async () => {
      const documents = await fleet.sessions();
      const { readOnly } = (await fleet.status()).daemon;
      return /full/.test(readOnly ?? '') || documents.every(({ terminalPaused }) => terminalPaused !== null);
    });
    expect(pids.every(isAlive)).toBe(true);
    expect((await fleet.status()).daemon.pid).toBe(fleet.pid);

    // The next daemon comes up on the full disk, or says why it does not.
    await fleet.kill();
    const ready = await fleet.start();
    if (ready.ready) {
      expect((await fleet.status()).daemon.epoch).toBeGreaterThan(1);
      expect((await fleet.logOf(sessions[0] ?? '')).length).toBeGreaterThan(10_000);
    } else expect(ready).toMatchObject({ code: 'disk/full', message: expect.stringMatching(/full/) });
    expect(pids.every(isAlive)).toBe(true);

    disk.makeRoom();
    if (!ready.ready) await fleet.up();
    await untilTrue('it works again', async () => (await fleet.status()).daemon.readOnly === null);
    for (const id of sessions) await fleet.until(id, ({ terminalPaused }) => terminalPaused === null);
    const { documents } = await fleet.json<SnapshotDocument>('GET', '/v1/snapshot');
    const keys = new Set(documents.map(({ key }) => key));
    for (const { task, session } of acknowledged) expect(keys.has(task) || keys.has(session ?? '')).toBe(true);
    await expectExact(fleet, sessions[0] ?? '', 'one');
    await expectExact(fleet, sessions[1] ?? '', 'two');
    const next = await fleet.run({ argv: ['true'], priority: 'now' });
    await fleet.untilState(
      next.session ??
        (await fleet
          .untilView(({ sessions: all }) => all.size > 3)
          .then(({ sessions: all }) => [...all.keys()].at(-1) ?? '')),
      'done',
    );
  },
  90_000,
);
