import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bundle, workerSource } from '../../test/support/store/bundle.ts';
import { rows, temporaryFolder } from '../../test/support/store/fixtures.ts';
import { runUntil, seeded } from '../../test/support/store/killed-program.ts';
import { openSqlite } from './db.ts';
import { openJournalFile } from './open-journal-file.ts';
import { decodeRow } from './row-hash.ts';
import { verifyJournalFile } from './verify-journal.ts';

const kills = Number(process.env.KILLS ?? 30);
/** Many processes start one after the other. */
const timeoutMs = 60_000;
const seed = Number(process.env.SEED ?? 7);
const support = (name: string) => new URL(`../../test/support/store/${name}`, import.meta.url);

test(
  `after each of ${kills} kills every acknowledged event is there, and nothing else`,
  async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'journal.db');
    const worker = fileURLToPath(bundle(workerSource, folder.path));
    const program = fileURLToPath(bundle(support('append-until-killed.ts'), folder.path));
    const chance = seeded(seed);
    for (let kill = 1; kill <= kills; kill += 1) {
      const last = Math.floor(chance() * 25);
      let count = 0;
      const lines = await runUntil([program, path, worker, String(kill)], () => count++ === last);
      const acknowledged = Math.max(0, ...lines.slice(1).map(Number));
      const { file, condition, snapshot, rows: found, end } = openJournalFile({ path, ballastBytes: 0 });
      file[Symbol.dispose]();
      const what = `seed ${seed}, kill ${kill}`;
      expect(condition, what).toEqual({ kind: 'sound' });
      expect(end.seq, what).toBeGreaterThanOrEqual(acknowledged);
      const from = snapshot?.seq ?? 0;
      expect(found.map(decodeRow), what).toEqual(rows(from + 1, end.seq - from));
    }
    const { condition, events } = verifyJournalFile(path);
    expect(condition).toEqual({ kind: 'sound' });
    expect(events).toBeGreaterThan(kills);
  },
  timeoutMs,
);

test(
  'under kills every task is committed exactly once',
  async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'journal.db');
    const worker = fileURLToPath(bundle(workerSource, folder.path));
    const program = fileURLToPath(bundle(support('work-until-killed.ts'), folder.path));
    const tasks = Array.from({ length: 100 }, (_, n) => `t_${n}`);
    enqueue(path, tasks);
    const chance = seeded(seed);
    const tried = new Set<string>();
    const done: string[] = [];
    let isIdle = false;
    for (let epoch = 1; !isIdle; epoch += 1) {
      const last = 3 + Math.floor(chance() * 40);
      let count = 0;
      const lines = await runUntil(
        [program, path, worker, String(epoch), join(folder.path, 'blobs')],
        () => count++ === last,
      );
      for (const line of lines) {
        const [word, task, token] = line.split(' ');
        if (word === 'try') tried.add(`${task} ${token}`);
        if (word === 'done') done.push(`${task} ${token}`);
        if (word === 'idle') isIdle = true;
      }
    }
    const committed = finalClaims(path);
    expect(committed.map(({ task }) => task).sort()).toEqual(tasks.sort());
    expect(committed.filter(({ status }) => status !== 'done')).toEqual([]);
    const tokens = committed.map(({ task, token }) => `${task} ${token}`);
    expect(done.filter((told) => !tokens.includes(told))).toEqual([]);
    expect(new Set(done).size).toBe(done.length);
    expect(tokens.filter((token) => !tried.has(token))).toEqual([]);
  },
  timeoutMs,
);

function enqueue(path: string, tasks: readonly string[]): void {
  const { file } = openJournalFile({ path, ballastBytes: 0 });
  file.write(tasks.map((task) => ({ type: 'coordinate', epoch: 0, request: { type: 'enqueue', task, pool: 'p' } })));
  file[Symbol.dispose]();
}

function finalClaims(path: string) {
  using db = openSqlite(path, 'read');
  const claims = db.prepare('SELECT task, status, token FROM claims').all();
  return claims.map(({ task, status, token }) => ({ task: String(task), status, token: Number(token) }));
}
