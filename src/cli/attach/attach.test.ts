import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleConcert } from '../../../test/support/bundled-concert.ts';
import { Concert } from '../../../test/support/concert.ts';
import { queuedOf, sessionOf } from '../../../test/support/documents.ts';
import { Person } from '../../../test/support/person.ts';
import { ScriptedFleet } from '../../../test/support/scripted-fleet.ts';
import { ScriptedHolder } from '../../../test/support/scripted-holder.ts';
import { ScriptedTerminals } from '../../../test/support/scripted-terminal.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';

const build = temporaryFolder();
let main: string;
beforeAll(async () => {
  ({ main } = await bundleConcert(build.path));
});
afterAll(() => build[Symbol.dispose]());

const login = sessionOf({ id: 's_login', name: 'fix-login', tab: 3, state: 'review' });
const cart = sessionOf({ id: 's_cart', name: 'cart', tab: 5, state: 'working', simulated: true });
const prefix = '\u001d';

let stack: AsyncDisposableStack;
let concert: Concert;
let fleet: ScriptedFleet;
let edge: AsyncDisposable;
let holder: ScriptedHolder;
let cartHolder: ScriptedHolder;
let terminals: ScriptedTerminals;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  concert = new Concert(stack.use(temporaryFolder()).path);
  fleet = new ScriptedFleet();
  fleet.sessions = [login, cart];
  edge = await fleet.serve(concert.home.socket);
  stack.defer(() => edge[Symbol.asyncDispose]());
  holder = stack.use(await ScriptedHolder.listen(join(concert.home.run, 'a.sock')));
  cartHolder = stack.use(await ScriptedHolder.listen(join(concert.home.run, 'b.sock')));
  terminals = new ScriptedTerminals(
    fleet,
    new Map([
      [login.id, holder],
      [cart.id, cartHolder],
    ]),
  );
  terminals.screen = (session) => ({
    offset: 0,
    bytes: session === cart.id ? 'screen of cart\r\n' : 'screen of login\r\n',
  });
});
afterEach(() => stack.disposeAsync());

function sit(...argv: string[]): Person {
  return stack.use(
    new Person({
      argv: [process.execPath, main, ...argv],
      env: { ...concert.env, NODE_COMPILE_CACHE: join(build.path, 'cache') },
    }),
  );
}

test('shows the screen, then what comes; keys go to the holder; the prefix and d give the terminal back', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  holder.print('\u001b[?1049h\u001b[?1002;2004h\u001b[?1h\u001b[2Jin the app');
  await person.sees('in the app');
  expect(person.modes).toMatchObject({ buffer: 'alternate', mouseTrackingMode: 'drag', bracketedPasteMode: true });

  person.press('ls\r\u0003');
  await holder.until(() => holder.typed === 'ls\r\u0003');
  person.press(`${prefix}d`);
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(person.allRows().filter((row) => row !== '')).toEqual([
    'screen of login',
    'Detached from fix-login; it goes on. Back: concert attach 3',
  ]);
  expect(person.modes).toEqual({
    buffer: 'normal',
    mouseTrackingMode: 'none',
    bracketedPasteMode: false,
    sendFocusMode: false,
    applicationCursorKeysMode: false,
  });
  expect(holder.typed).toBe('ls\r\u0003');
  expect(holder.links[0]?.isOpen).toBe(false);
});

test('the title is ours and follows the state; the titles of the agent stay out', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  holder.print('\u001b]0;title of the agent\u0007shown');
  await person.sees('shown');
  while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  fleet.put({ ...login, state: 'blocked' });
  await person.until(() => person.titles.includes('3 ◆ fix-login'), 'the new title');
  expect(person.titles).toEqual(['3 ■ fix-login', '3 ◆ fix-login']);
  expect(person.printed.startsWith('\u001b[22;0t')).toBe(true);
  person.press(`${prefix}d`);
  await person.ended;
  expect(person.printed).toContain('\u001b[23;0t');
});

test('a program that moves down a row keeps its column', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  holder.print('one\ntwo');
  await person.sees('   two');
  expect(person.rows().slice(1, 3)).toEqual(['one', '   two']);
});

test('the prefix and a number show another session in the same process; one without a terminal changes nothing', async () => {
  fleet.sessions = [login, cart, sessionOf({ id: 's_gone', name: 'gone', tab: 6 })];
  const person = sit('attach', '3');
  await person.sees('screen of login');
  while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  person.press(`${prefix}5`);
  await person.sees('screen of cart');
  person.press('to cart');
  await cartHolder.until(() => cartHolder.typed === 'to cart');
  await holder.until(() => holder.links[0]?.isOpen === false);
  expect(person.titles.at(-1)).toBe('5 ● cart [simulated]');

  person.press(`${prefix}6`);
  await person.sees('It has no terminal');
  person.press('x');
  await person.until(
    () => !person.rows().some((row) => row.includes('It has no terminal')),
    'the screen without the line',
  );
  person.press(`${prefix}8`);
  await person.sees('Nothing is bound to tab 8');
  person.press(`x${prefix}?`);
  await person.sees('ctrl+] then: 1-9 tab');
  person.press('x');
  await person.until(() => terminals.count('resync') === 3, 'a fresh screen');
  person.press('y');
  await cartHolder.until(() => cartHolder.typed === 'to carty');
  expect(holder.typed).toBe('');
});

test('where another terminal drives, nothing is typed until Enter takes over', async () => {
  terminals.driver = 'phone';
  fleet.sessions = [{ ...login, driver: 'phone' }];
  const person = sit('attach', '3');
  await person.sees('screen of login');
  expect(person.printed).toContain('viewing, phone drives; Enter takes over');
  await person.until(
    () => person.titles.includes('3 ■ fix-login (viewing, phone drives; Enter takes over)'),
    'the title',
  );
  person.press('nothing of this');
  await person.until(() => person.printed.includes('\u0007'), 'a bell');
  person.press('\r');
  await person.until(() => person.titles.at(-1) === '3 ■ fix-login', 'the seat');
  person.press('mine');
  await holder.until(() => holder.typed === 'mine');
  expect(terminals.count('take')).toBe(1);

  terminals.driver = 'phone';
  terminals.tell(login.id, { type: 'mode', mode: 'view', driver: 'phone' });
  await person.until(() => person.titles.at(-1)?.includes('phone drives') === true, 'the seat lost');
  person.press('gone');
  await person.until(() => (person.printed.match(/\u0007/g)?.length ?? 0) >= 2, 'another bell');
  expect(holder.typed).toBe('mine');
});

test('--take asks for the seat at once', async () => {
  terminals.driver = 'phone';
  const person = sit('attach', 'fix-login', '--take');
  await person.sees('screen of login');
  person.press('mine');
  await holder.until(() => holder.typed === 'mine');
  expect(terminals.requests[0]?.request).toMatchObject({
    type: 'attach',
    mode: 'drive',
    take: true,
    columns: 80,
    rows: 24,
  });
});

test('the daemon may go and come back; the terminal works on, and nothing is doubled', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  holder.print('before ');
  await person.sees('before');
  while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  await edge[Symbol.asyncDispose]();
  person.press('typed without a daemon');
  await holder.until(() => holder.typed === 'typed without a daemon');
  holder.print('during ');
  await person.sees('before during');

  edge = await fleet.serve(concert.home.socket);
  await holder.until(() => holder.links.length === 2 && holder.links[1]?.from === holder.output.length);
  holder.print('after');
  await person.sees('before during after');
  person.press('!');
  await holder.until(() => holder.typed.endsWith('!'));
  await holder.until(() => holder.links[0]?.isOpen === false);
  const attaches = terminals.requests.filter(({ request }) => request.type === 'attach').map(({ request }) => request);
  expect(attaches[1]).toEqual(attaches[0]);
  expect(person.rows().slice(0, 2)).toEqual(['screen of login', 'before during after']);
});

test('a change of size reaches the holder and the daemon once it has settled', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  await holder.until(() => holder.links[0]?.from === 0);
  holder.sizes = [];
  for (const columns of [90, 95, 100]) person.resize(columns, 30);
  await holder.until(() => holder.sizes.some(([columns]) => columns === 100));
  expect(holder.sizes.at(-1)).toEqual([100, 30]);
  await holder.until(() => terminals.requests.at(-1)?.request.type === 'resize');
  expect(terminals.requests.at(-1)?.request).toEqual({ type: 'resize', columns: 100, rows: 30 });
});

test('the end of the session ends it with one line', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  holder.print('last words');
  holder.end({ code: 3 });
  terminals.tell(login.id, { type: 'ended', state: 'failed', why: 'exit code 3' });
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(person.allRows()).toContain('last words');
  expect(
    person
      .rows()
      .filter((row) => row !== '')
      .at(-1),
  ).toBe('fix-login ended: exit code 3 (failed)');
});

test('without a daemon the holder alone tells the end', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  await edge[Symbol.asyncDispose]();
  holder.end({ signal: 'SIGKILL' });
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(
    person
      .rows()
      .filter((row) => row !== '')
      .at(-1),
  ).toBe('fix-login ended: killed by SIGKILL (failed)');
});

test('--follow stays on its tab whatever is bound to it', async () => {
  const person = sit('attach', '3', '--follow');
  await person.sees('screen of login');
  while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  terminals.tell(login.id, { type: 'ended', state: 'done', why: 'exit code 0' });
  holder.end({ code: 0 });
  await person.sees('Waiting for what comes to tab 3');
  fleet.put({ ...login, tab: null });
  fleet.put({ ...cart, tab: 3 });
  await person.sees('screen of cart');
  person.press(`hello${prefix}d`);
  expect(await person.ended).toMatchObject({ exitCode: 0 });
  expect(cartHolder.typed).toBe('hello');
});

test('a terminal that does not read is not sent more, and gets a fresh screen instead of what it missed', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  await holder.until(() => holder.links[0]?.from === 0);
  person.stopReading();
  const line = `${'x'.repeat(78)}\r\n`;
  holder.print(line.repeat(50_000));
  const link = holder.links[0];
  await holder.until(() => link?.credit === 0);
  const sentTo = link?.from ?? 0;
  expect(sentTo).toBeLessThan(1024 * 1024);
  terminals.screen = () => ({ offset: holder.output.length, bytes: 'fresh screen\r\n' });
  person.readOn();
  await person.sees('fresh screen');
  holder.print('and on');
  await person.sees('and on');
  expect(terminals.count('resync')).toBe(1);
  expect(person.printed.length).toBeLessThan(1024 * 1024 + 100_000);
});

test('ended from outside, it still gives the terminal back', async () => {
  const person = sit('attach', '3');
  await person.sees('screen of login');
  holder.print('\u001b[?1049h\u001b[?1003hin the app');
  await person.sees('in the app');
  person.kill('SIGTERM');
  expect(await person.ended).toMatchObject({ exitCode: 143 });
  expect(person.modes).toMatchObject({ buffer: 'normal', mouseTrackingMode: 'none' });
});

test('a session that is starting, or still in the queue, is waited for', async () => {
  const { id, task } = login;
  fleet.sessions = [];
  fleet.queued = [queuedOf({ task, title: 'fix the login', needs: 'a free slot' })];
  const person = sit('attach', 'fix the login');
  await person.sees('Waiting: it needs a free slot');
  while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
  fleet.put(sessionOf({ id, task, state: 'starting', pid: null }));
  fleet.put(login);
  await person.sees('screen of login');
  expect(terminals.count('attach')).toBe(1);
});

test('refusals leave the terminal as it was', async () => {
  const person = sit('attach', '9');
  expect(await person.ended).toMatchObject({ exitCode: 3 });
  expect(person.rows()[0]).toBe('Nothing is bound to tab 9.');
  const gone = sit('attach', 's_none');
  expect(await gone.ended).toMatchObject({ exitCode: 3 });
  fleet.sessions = [sessionOf({ id: 's_gone', name: 'gone', tab: 6 })];
  const dead = sit('attach', '6');
  expect(await dead.ended).toMatchObject({ exitCode: 7 });
  expect(dead.rows()[0]).toBe('It has no terminal.');
});

test('--view without a terminal passes the bytes on and types nothing', async () => {
  const viewing = concert.run('attach', '3', '--view');
  await holder.until(() => holder.links[0]?.from === 0);
  holder.print('\u001b]0;t\u0007bytes');
  holder.end({ code: 0 });
  terminals.tell(login.id, { type: 'ended', state: 'done', why: 'exit code 0' });
  expect(await viewing).toEqual({
    exit: 0,
    out: 'screen of login\r\n\u001b]0;t\u0007bytes',
    err: 'fix-login ended: exit code 0 (done)\n',
  });
  expect(terminals.requests[0]?.request).toMatchObject({ mode: 'view' });
});

test('logs --follow continues a log to the end, byte for byte', async () => {
  fleet.log.set(login.id, Buffer.from('early '));
  holder.print('early late ');
  const following = concert.run('logs', '3', '--raw', '--follow', '--from', '2');
  await holder.until(() => holder.links[0]?.from === holder.output.length);
  holder.print('last');
  holder.end({ code: 0 });
  terminals.tell(login.id, { type: 'ended', state: 'done', why: 'exit code 0' });
  expect(await following).toMatchObject({ exit: 0, out: 'rly late last' });
});
