import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Concert } from '../../test/support/concert.ts';
import { ScriptedFleet } from '../../test/support/scripted-fleet.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { DoctorDocument } from '../protocol/index.ts';

let stack: AsyncDisposableStack;
let concert: Concert;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  concert = new Concert(stack.use(temporaryFolder()).path);
});
afterEach(() => stack.disposeAsync());

/** A program that, started as the daemon, does this with `ready` (writes to the starter) and `env`. */
function daemonThat(does: string): void {
  const path = `${concert.folder}/daemon.mjs`;
  writeFileSync(
    path,
    `import { writeFileSync, appendFileSync, writeSync, closeSync, rmSync } from 'node:fs';
     const { env } = process;
     appendFileSync(env.CONCERT_HOME + '/starts', JSON.stringify(process.argv.slice(2)) + process.cwd() + '\\n');
     const ready = (line) => { writeSync(3, JSON.stringify(line) + '\\n'); closeSync(3); };
     ${does}`,
  );
  concert.program = [process.execPath, path];
}

const starts = () =>
  existsSync(`${concert.folder}/starts`) ? readFileSync(`${concert.folder}/starts`, 'utf8').trim().split('\n') : [];

/** The edge is served by the test once the program has run: it cannot serve both. */
async function serveAfterStart(fleet = new ScriptedFleet()): Promise<ScriptedFleet> {
  stack.use(await fleet.serve(concert.home.socket));
  return fleet;
}

test('a home that was never used stays unused', async () => {
  daemonThat('ready({ ready: true });');
  for (const verb of ['ls', 'status', 'log']) {
    expect(await concert.run(verb)).toEqual({
      exit: 4,
      out: '',
      err: 'Concertmaster is not running here.\nNext: concert up\n',
    });
  }
  expect(starts()).toEqual([]);
  expect(existsSync(concert.home.daemonLog)).toBe(false);
});

test('verbs that work start it: apart from this terminal, with the log as its output', async () => {
  daemonThat('console.log("out"); console.error("err"); ready({ ready: true, pid: process.pid, epoch: 1 });');
  const { exit, err } = await concert.run('run', 'x', '-a', 'demo');
  expect(starts()).toEqual(['["daemon"]/']);
  expect({ exit, err }).toMatchObject({ exit: 4 });
  expect(readFileSync(concert.home.daemonLog, 'utf8')).toContain('out\n');
  expect(statSync(concert.home.daemonLog).mode & 0o777).toBe(0o600);
});

test.each([
  [
    'ready({ ready: false, code: "journal/newer", message: "The journal is newer", hint: "Install it" });',
    1,
    'The journal is newer.\nNext: Install it\n',
  ],
  [
    'ready({ ready: false, code: "new/code", message: "Something new", hint: "Look" });',
    4,
    'Something new.\nNext: Look\n',
  ],
  [
    'console.error("boom\\u001b[2J"); process.exit(70);',
    4,
    'The daemon ended while it was starting (boom [2J); running sessions go on.\nNext: See ',
  ],
  ['writeSync(3, "garbage"); closeSync(3);', 4, 'The daemon ended while it was starting'],
])('a start that fails is told: %s', async (does, exit, words) => {
  daemonThat(does);
  const ran = await concert.run('up');
  expect(ran).toMatchObject({ exit, err: expect.stringContaining(words) });
});

test('a runtime that cannot be started is told', async () => {
  concert.program = ['/no/such/runtime', 'main.js'];
  expect(await concert.run('up')).toMatchObject({
    exit: 4,
    err: expect.stringContaining('ended while it was starting'),
  });
});

test('a daemon that died is started again by any verb, which then does its work and says so', async () => {
  mkdirSync(concert.home.run, { recursive: true });
  writeFileSync(concert.home.daemonFile, '{"pid":1}');
  daemonThat(`import('node:fs').then(({ existsSync, watch }) => {
    const isServed = ${JSON.stringify(`${concert.folder}/served`)};
    const watcher = watch(env.CONCERT_HOME, () => {
      if (!existsSync(isServed)) return;
      watcher.close();
      ready({ ready: true });
    });
    appendFileSync(env.CONCERT_HOME + '/watching', '');
  });`);
  const ls = concert.run('ls');
  while (!existsSync(`${concert.folder}/watching`)) await new Promise((resolve) => setImmediate(resolve));
  await serveAfterStart();
  writeFileSync(`${concert.folder}/served`, '');
  expect(await ls).toMatchObject({ exit: 0, err: 'The daemon had stopped; restarted, sessions kept running\n' });
});

test('concert down returns when the daemon has closed its edge and given its home back', async () => {
  const fleet = new ScriptedFleet();
  const edge = await fleet.serve(concert.home.socket);
  writeFileSync(concert.home.daemonFile, '{"pid":1}');
  fleet.onStop = () =>
    setImmediate(async () => {
      await edge[Symbol.asyncDispose]();
      rmSync(concert.home.daemonFile);
    });
  expect(await concert.run('down')).toMatchObject({ exit: 0, out: 'The daemon stopped; sessions go on\n' });
  expect(fleet.calls).toEqual([['stop']]);
  expect(existsSync(concert.home.daemonFile)).toBe(false);
});

test('concert down without a daemon keeps it down', async () => {
  daemonThat('ready({ ready: true });');
  expect(await concert.run('down', '--json')).toMatchObject({ exit: 0 });
  mkdirSync(concert.home.registry, { recursive: true });
  writeFileSync(`${concert.home.registry}/h_x.json`, '{}');
  expect(await concert.run('ls')).toMatchObject({
    exit: 4,
    err: expect.stringContaining('was stopped with concert down'),
  });
  expect(starts()).toEqual([]);
  await concert.run('up');
  expect(starts()).toHaveLength(1);
  await concert.run('ls');
  expect(starts()).toHaveLength(2);
});

test('one that another call is starting is waited for', async () => {
  mkdirSync(concert.home.run, { recursive: true });
  writeFileSync(concert.home.daemonFile, '{"pid":1}');
  daemonThat('ready({ ready: false, code: "daemon/already-running", message: "Another starts" });');
  const fleet = new ScriptedFleet();
  const up = concert.run('up');
  while (starts().length === 0) await new Promise((resolve) => setImmediate(resolve));
  await serveAfterStart(fleet);
  expect(await up).toMatchObject({ exit: 0 });
  expect(starts()).toHaveLength(1);
});

test('one that is ending is followed by a new one', async () => {
  mkdirSync(concert.home.run, { recursive: true });
  writeFileSync(concert.home.daemonFile, '{"pid":1}');
  daemonThat(`
    ready({ ready: false, code: "daemon/already-running", message: "It is ending" });
    rmSync(${JSON.stringify(concert.home.daemonFile)}, { force: true });`);
  expect(await concert.run('up')).toMatchObject({ exit: 1, err: expect.stringContaining('It is ending') });
  expect(starts()).toHaveLength(3);
});

test('the log of earlier daemons is set aside when it has grown', async () => {
  writeFileSync(concert.home.daemonLog, 'x'.repeat(5 * 1024 * 1024));
  daemonThat('console.log("new"); ready({ ready: true });');
  await concert.run('up');
  expect(statSync(`${concert.home.daemonLog}.1`).size).toBe(5 * 1024 * 1024);
  expect(statSync(concert.home.daemonLog).size).toBeLessThan(1024);
});

test('a home that cannot be used is refused with a sentence', async () => {
  concert.env['CONCERT_HOME'] = 'relative/home';
  expect(await concert.run('ls')).toMatchObject({ exit: 1, err: expect.stringContaining('not a full path') });
  concert.env['CONCERT_HOME'] = `/tmp/${'x'.repeat(120)}`;
  expect(await concert.run('ls')).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/the path has \d+ bytes and the system takes 107/),
  });
  writeFileSync(`${concert.folder}/file`, '');
  concert.env['CONCERT_HOME'] = `${concert.folder}/file/home`;
  expect(await concert.run('up')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('cannot be written (ENOTDIR)'),
  });
});

test('doctor looks from outside when there is no daemon', async () => {
  writeFileSync(concert.home.configFile, '{');
  const { exit, out } = await concert.run('doctor', '--json');
  expect(exit).toBe(1);
  const { checks } = DoctorDocument.parse(JSON.parse(out));
  expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
    ['daemon', false],
    ['state folder', true],
    ['socket folder', true],
    ['settings', false],
  ]);
  expect(await concert.run('doctor', '--repair')).toMatchObject({ exit: 0, out: 'Mended\n' });
});
