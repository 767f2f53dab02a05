import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleConcert } from '../../test/support/bundled-concert.ts';
import { Concert } from '../../test/support/concert.ts';
import { sessionOf } from '../../test/support/documents.ts';
import { Person } from '../../test/support/person.ts';
import { ScriptedFleet } from '../../test/support/scripted-fleet.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';

const build = temporaryFolder();
let main: string;
let stack: AsyncDisposableStack;
let concert: Concert;
let fleet: ScriptedFleet;
let edge: AsyncDisposable;

const login = sessionOf({ id: 's_7k2mabcd', name: 'fix-login', tab: 3, state: 'review' });
const cart = sessionOf({ id: 's_p4wqabcd', name: 'cart', state: 'working', why: 'adds things up' });

beforeAll(async () => {
  ({ main } = await bundleConcert(build.path));
});
afterAll(() => build[Symbol.dispose]());
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  concert = new Concert(stack.use(temporaryFolder()).path);
  fleet = new ScriptedFleet();
  fleet.sessions = [login, cart];
  edge = await fleet.serve(concert.home.socket);
  stack.defer(() => edge[Symbol.asyncDispose]());
});
afterEach(() => stack.disposeAsync());

function sit(...argv: string[]): Person {
  const env = { ...concert.env, NODE_COMPILE_CACHE: join(build.path, 'cache') };
  return stack.use(new Person({ argv: [process.execPath, main, ...argv], env, cwd: concert.folder, columns: 100 }));
}

test('ls --watch draws the list in place, follows it, and leaves the screen as it was', async () => {
  const person = sit('ls', '--watch');
  await person.sees('cart');
  expect(person.modes.buffer).toBe('alternate');
  expect(person.rows()[2]).toMatch(/^3 {4}■ review {3}fix-login .* works$/);
  while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  fleet.put({ ...cart, state: 'blocked', why: 'which currency?' });
  await person.sees('which currency?');
  expect(person.rows()[2]).toMatch(/^ {5}◆ blocked {2}cart .* which currency\?$/);
  person.resize(48, 24);
  await person.until(() => /^TAB {2}STATE {6}SESSION +FOR {2}WHAT$/.test(person.rows()[1] ?? ''), 'the narrow list');

  await edge[Symbol.asyncDispose]();
  await person.sees('The daemon does not answer;');
  edge = await fleet.serve(concert.home.socket);
  await person.until(() => !person.rows().some((row) => row.includes('does not answer')), 'the live list');
  person.press('\u0003');
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(person.modes.buffer).toBe('normal');
  expect(person.rows().filter((row) => row !== '')).toEqual(['Sessions go on']);
});

test('ls --watch into a pipe says what changes, one line each', async () => {
  const out: string[] = [];
  const { runCli } = await import('./index.ts');
  const watching = runCli({ ...concert.invocation(out), argv: ['ls', '--watch', '--state', 'blocked,done'] });
  while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  out.splice(0);
  fleet.put({ ...cart, why: 'more things' });
  fleet.put({ ...cart, state: 'blocked', why: 'which currency?' });
  fleet.put({ ...login, state: 'ready' });
  fleet.put({ ...login, state: 'done', why: 'exit code 0', simulated: true });
  while (out.length < 2) await new Promise((resolve) => setImmediate(resolve));
  concert.interrupt.resolve();
  expect(await watching).toBe(0);
  expect(out).toEqual(['◆ cart is blocked: which currency?\n', '✓ fix-login is done: exit code 0  simulated\n']);
});

test.each([
  [
    'y\r',
    [
      ['trust', null],
      ['trust', 'h4sh'],
    ],
    'Trusted, until the content changes',
  ],
  ['\r', [['trust', null]], 'Nothing was trusted; sessions start without it'],
  ['yessir\r', [['trust', null]], 'Nothing was trusted'],
  ['\u0004', [['trust', null]], 'Nothing was trusted'],
])('trust asks, and %j is taken for what it is', async (keys, calls, words) => {
  const person = sit('trust', '.');
  await person.sees('Allow this for new sessions of this repository? [y/N]');
  person.press(keys);
  await person.sees(words);
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(fleet.calls.map((call) => (call as unknown[]).filter((part) => part !== concert.folder))).toEqual(calls);
});

test('rm asks before it removes much', async () => {
  const person = sit('rm', '--all');
  await person.sees('Remove all sessions? [y/N]');
  person.press('n\r');
  await person.sees('Nothing was removed');
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(fleet.calls).toEqual([]);
});

test.each([
  ['{"slots": 4}', 0, /^Saved /, '{"slots": 4}'],
  ['{"slots": 4', 2, /is not JSON.*Next: The settings are as before\. What you wrote is in /s, '{"slots": 16}'],
  ['{"slot": 4}', 2, /did you mean "slots"/, '{"slots": 16}'],
])('config edit takes %s for what it is', async (written, exitCode, words, kept) => {
  writeFileSync(concert.home.configFile, '{"slots": 16}');
  writeFileSync(join(concert.folder, 'editor.sh'), `#!/bin/sh\nprintf '%s' '${written}' > "$2"\n`, { mode: 0o755 });
  concert.env['EDITOR'] = `${concert.folder}/editor.sh --wait`;
  const person = sit('config', 'edit');
  expect(await person.ended).toMatchObject({ exitCode });
  expect(
    person
      .allRows()
      .filter((row) => row !== '')
      .join(''),
  ).toMatch(words);
  expect(readFileSync(concert.home.configFile, 'utf8')).toBe(kept);
});

test('no verb at all shows the list', async () => {
  const person = sit();
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(person.rows()[2]).toContain('fix-login');
});

test('the completion for bash is sound and completes', async () => {
  const { out } = await concert.run('completion', 'bash');
  const script = `concert() { echo fix-login; echo 3; }\n${out}\nCOMP_WORDS=(concert "$1" "$2"); COMP_CWORD=$3; _concert; echo "\${COMPREPLY[@]}"`;
  const complete = (...args: string[]) =>
    execFileSync('bash', ['-c', script, 'bash', ...args], { encoding: 'utf8' }).trim();
  expect(complete('re', '', '1')).toBe('resume rename');
  expect(complete('attach', 'fix', '2')).toBe('fix-login');
  expect(complete('config', 'e', '2')).toBe('edit explain');
});
