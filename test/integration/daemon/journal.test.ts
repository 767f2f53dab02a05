import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { repairJournal } from '../../../src/store/index.ts';
import { isAlive } from '../../support/built-daemon.ts';
import { TestFleet, untilTrue } from './test-fleet.ts';
import { TestTerminal } from './test-terminal.ts';

const workerEntry = new URL('../../../src/store/journal-worker.ts', import.meta.url);

/** A daemon that was killed with one session running and one over; its journal is in one file. */
async function killedFleet(): Promise<{ fleet: TestFleet; session: string; pid: number }> {
  const fleet = await TestFleet.start();
  const over = await fleet.session({ name: 'over', argv: ['true'] });
  await fleet.untilState(over, 'done');
  const session = await fleet.session({ name: 'running', argv: ['sh', '-c', 'stty raw -echo; echo ready; exec cat'] });
  const { pid } = await fleet.untilLive(session);
  await untilTrue('ready', async () => (await fleet.logOf(session)).includes('ready'));
  await fleet.kill();
  const db = new Database(fleet.paths.journal);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return { fleet, session, pid: pid ?? 0 };
}

function corrupt(path: string, how: (bytes: Buffer) => Buffer): void {
  writeFileSync(path, how(readFileSync(path)));
}

function flipEveryPage(bytes: Buffer): Buffer {
  for (let at = 4096 + 1000; at < bytes.length; at += 4096) bytes[at] = (bytes[at] ?? 0) ^ 0x40;
  return bytes;
}

describe('a journal that cannot be believed', () => {
  it.each<[string, (path: string) => void, RegExp]>([
    ['truncated', (path) => truncateSync(path, 4096 * 3 + 100), /journal/i],
    ['with flipped bits', (path) => corrupt(path, flipEveryPage), /journal/i],
    ['of garbage', (path) => writeFileSync(path, 'this is no database at all\n'.repeat(500)), /journal|database/i],
    ['emptied', (path) => truncateSync(path, 0), /journal|empty/i],
    ['deleted', (path) => rmSync(path), /journal|gone/i],
    [
      'of a newer version',
      (path) => {
        const db = new Database(path);
        db.pragma('user_version = 999');
        db.close();
      },
      /newer/,
    ],
  ])(
    'is left as it is when %s: the daemon only reads, says so, and the sessions are reached',
    async (_what, damage, said) => {
      const { fleet, session, pid } = await killedFleet();
      await using _ = fleet;
      const { journal } = fleet.paths;
      copyFileSync(journal, `${fleet.folder}/sound.db`);
      damage(journal);
      const left = existsSync(journal) ? readFileSync(journal) : null;

      await fleet.up();
      const { daemon } = await fleet.status();
      expect(daemon.readOnly).toMatch(said);
      const doctor = await fleet.json<{
        ok: boolean;
        checks: { name: string; ok: boolean; message: string; hint: string | null }[];
      }>('GET', '/v1/doctor');
      expect(doctor.checks.find(({ name }) => name === 'journal')).toMatchObject({
        ok: false,
        message: daemon.readOnly,
        hint: expect.stringMatching(/repair|version/),
      });
      expect(await fleet.refusedRun({ argv: ['true'] })).toMatchObject({ code: 'daemon/read-only' });
      expect((await fleet.logOf(session)).toString()).toContain('ready');
      expect(isAlive(pid)).toBe(true);
      const known = (await fleet.sessions()).find(({ id }) => id === session);
      if (known !== undefined) {
        expect(known.pid).toBe(pid);
        using terminal = await TestTerminal.attach(fleet, session);
        terminal.type('still here');
        await terminal.untilShown('still here');
      }
      await fleet.kill();
      expect(existsSync(journal) ? readFileSync(journal).equals(left ?? Buffer.alloc(0)) : null).toBe(
        left === null ? null : true,
      );
      expect(isAlive(pid)).toBe(true);
    },
  );

  it.each<[string, (path: string) => void]>([
    ['a page short', (path) => truncateSync(path, statSync(path).size - 4096)],
    ['with flipped bits', (path) => corrupt(path, flipEveryPage)],
  ])('is mended when %s, and the daemon works again', async (_what, damage) => {
    const { fleet, pid } = await killedFleet();
    await using _ = fleet;
    const { journal } = fleet.paths;
    damage(journal);
    const damaged = readFileSync(journal);
    const report = await repairJournal({ path: journal, workerEntry });
    expect(report.isChanged).toBe(true);
    expect(readFileSync(report.keptAt ?? '').equals(damaged)).toBe(true);
    await fleet.up();
    expect((await fleet.status()).daemon.readOnly).toBe(null);
    await fleet.untilState(await fleet.session({ argv: ['true'] }), 'done');
    expect(isAlive(pid)).toBe(true);
  });
});

it('takes a journal with a torn end of its write-ahead log', async () => {
  await using fleet = await TestFleet.start();
  const session = await fleet.session({ argv: ['sleep', '1000'] });
  const { pid } = await fleet.untilLive(session);
  await fleet.kill();
  const wal = `${fleet.paths.journal}-wal`;
  if (existsSync(wal)) execFileSync('sh', ['-c', 'printf garbage-after-the-end >> "$0"', wal]);
  await fleet.up();
  expect((await fleet.status()).daemon.readOnly).toBe(null);
  expect(await fleet.until(session, () => true)).toMatchObject({ pid, state: expect.not.stringMatching('lost') });
});
