import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BuiltDaemon, isAlive } from '../support/built-daemon.ts';
import { Person } from '../support/person.ts';
import { temporaryFolder } from '../support/temporary.ts';

const launcher = resolve(import.meta.dirname, '../../bin/concert');

/** Counts on its screen, echoes what is typed, and writes every byte it prints to a file as well. */
const counter = `
  const { appendFileSync } = require('node:fs');
  const print = (text) => { appendFileSync(process.argv[2], text); process.stdout.write(text); };
  process.stdin.setRawMode(true);
  process.stdin.on('data', (keys) => print('[' + JSON.stringify(String(keys)) + ']\\n'));
  process.on('SIGTERM', () => process.exit(0));
  let n = 0;
  setInterval(() => print('count ' + ++n + '\\n'), 50);
`;

const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex');

interface Ran {
  exit: number;
  out: string;
  err: string;
}

class Journey extends BuiltDaemon {
  concert(...argv: string[]): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [launcher, ...argv],
        { env: this.env, cwd: this.home, encoding: 'latin1', maxBuffer: 64 * 1024 * 1024 },
        (error, out, err) => resolve({ exit: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  sit(...argv: string[]): Person {
    const env = Object.fromEntries(
      Object.entries(this.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    return new Person({ argv: [process.execPath, launcher, ...argv], env, cwd: this.home });
  }

  /** The present daemon, started by whatever command it was. */
  pid(): number | null {
    const path = this.paths.daemonFile;
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid : null;
  }

  async end(): Promise<void> {
    const pid = this.pid();
    if (pid !== null && isAlive(pid)) process.kill(pid, 'SIGKILL');
    await this[Symbol.asyncDispose]();
  }
}

const folder = temporaryFolder();
let journey: Journey;
beforeAll(() => {
  journey = new Journey(folder.path);
});
afterAll(async () => {
  await journey.end();
  folder[Symbol.dispose]();
});

test('a session outlives the daemon, the terminal that shows it, and a daemon that was stopped on purpose', async () => {
  writeFileSync(join(folder.path, 'counter.cjs'), counter);
  const twin = join(folder.path, 'twin');

  expect(await journey.concert('ls')).toMatchObject({
    exit: 4,
    err: 'Concertmaster is not running here.\nNext: concert up\n',
  });
  const started = await journey.concert(
    'run',
    '--in-place',
    '--name',
    'counter',
    '--',
    process.execPath,
    'counter.cjs',
    twin,
  );
  expect(started).toMatchObject({ exit: 0, err: '' });
  expect(started.out).toMatch(/^Started counter \(s_\w+\) on tab 1, \w+\. Next: concert attach 1\n$/);

  using person = journey.sit('attach', '1');
  await person.sees(/count \d+/);
  person.press('hello');
  await person.sees('["hello"]');

  const first = journey.pid();
  expect(first).not.toBeNull();
  process.kill(first ?? 0, 'SIGKILL');
  const counts = () =>
    Number(
      /count (\d+)\s*$/.exec(
        person
          .rows()
          .filter((row) => /^count/.test(row))
          .at(-1) ?? '',
      )?.[1],
    );
  const then = counts();
  await person.until(() => counts() > then + 5, 'more counts');
  person.press('x');
  await person.sees('["x"]');

  const listed = await journey.concert('ls');
  expect(listed).toMatchObject({ exit: 0 });
  expect(listed.out).toContain('counter');
  expect(journey.pid()).not.toBe(first);
  person.press('\u001dd');
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(
    person
      .allRows()
      .filter((row) => row !== '')
      .at(-1),
  ).toBe('Detached from counter; it goes on. Back: concert attach 1');

  expect(await journey.concert('down')).toMatchObject({ exit: 0 });
  expect(await journey.concert('ls')).toMatchObject({
    exit: 4,
    err: expect.stringContaining('stopped with concert down'),
  });
  const again = await journey.concert('up');
  expect(again).toMatchObject({ exit: 0, out: expect.stringContaining('Kept running: counter') });

  expect(await journey.concert('stop', 'counter')).toMatchObject({ exit: 0 });
  expect((await journey.concert('wait', 'counter', '--for', 'asleep,done,failed', '--timeout', '15s')).exit).toBe(0);
  const raw = await journey.concert('logs', 'counter', '--raw');
  const printed = readFileSync(twin, 'latin1').replaceAll('\n', '\r\n');
  expect(sha256(raw.out)).toBe(sha256(printed));
  expect(await journey.concert('attach', 'counter', '--view')).toMatchObject({ exit: 7 });
  expect(await journey.concert('rm', 'counter')).toMatchObject({ exit: 0 });
  expect((await journey.concert('ls', '--json')).out).toContain('"items":[]');
}, 60_000);

test('a reader that goes away is no error', async () => {
  const ran = await new Promise<Ran>((resolve) => {
    execFile(
      'sh',
      ['-c', `"$0" "$1" --help | head -1`, process.execPath, launcher],
      { env: journey.env },
      (error, out, err) => resolve({ exit: error === null ? 0 : Number(error.code), out, err }),
    );
  });
  expect(ran).toEqual({ exit: 0, out: 'concert: a fleet of coding agents, looked after\n', err: '' });
});
