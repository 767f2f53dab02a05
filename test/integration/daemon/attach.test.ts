import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShowDocument } from '../../../src/protocol/index.ts';
import { TestFleet, untilTrue } from './test-fleet.ts';
import { TestTerminal } from './test-terminal.ts';

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await TestFleet.start();
});
afterAll(async () => await fleet[Symbol.asyncDispose]());

/** Echoes what is typed and says its size when that changes. */
async function echo(): Promise<string> {
  const script = 'stty raw -echo; trap "stty size" WINCH; echo ready; while :; do dd bs=1k count=1 2>/dev/null; done';
  const session = await fleet.session({ argv: ['bash', '-c', script] });
  await fleet.untilLive(session);
  // The screen too has seen it, so it has its size at once when a terminal comes.
  await untilTrue('it is ready', async () => {
    const { screen } = await fleet.json<ShowDocument>('GET', `/v1/sessions/${session}?screen`);
    return screen?.some((line) => line.includes('ready')) === true;
  });
  return session;
}

describe.each([
  ['relayed', false],
  ['direct', true],
])('a %s terminal', (_what, direct) => {
  it('shows the screen, types, and sets the size', async () => {
    const session = await echo();
    using terminal = await TestTerminal.attach(fleet, session, { direct, columns: 90, rows: 30 });
    expect(terminal.notices[0]).toMatchObject({
      type: 'attached',
      session,
      mode: 'drive',
      holder: direct ? { channel: expect.any(Number) } : null,
    });
    expect(terminal.notices.find(({ type }) => type === 'screen')).toMatchObject({ columns: 90, rows: 30 });
    await terminal.untilShown('ready');
    terminal.type('typed by hand');
    await terminal.untilShown('typed by hand');
    terminal.ask({ type: 'resize', columns: 101, rows: 33 });
    if (direct) {
      // It types at the holder and is sized by the daemon: two ways, in no fixed order.
      await untilTrue('the new size', () => {
        terminal.type('.');
        return terminal.shown.includes('33 101');
      });
    } else {
      terminal.type('.');
      await terminal.untilShown('33 101');
    }
    terminal.ask({ type: 'resync' });
    await terminal.untilTold((notice) => notice.type === 'screen' && notice.columns === 101);
    if (!direct) await terminal.untilShown('typed by hand');
  });

  it('is told of the end, with the last words before it', async () => {
    const session = await fleet.session({ argv: ['sh', '-c', 'read x; echo last words; exit 3'] });
    await fleet.untilLive(session);
    using terminal = await TestTerminal.attach(fleet, session, { direct });
    terminal.type('\r');
    await terminal.untilShown('last words');
    expect(await terminal.untilTold(({ type }) => type === 'ended')).toMatchObject({
      state: 'failed',
      why: expect.stringContaining('3'),
    });
    await untilTrue('the terminal is closed', () => terminal.isClosed);
  });

  it('neither types nor sets the size when it only views', async () => {
    const session = await echo();
    using driver = await TestTerminal.attach(fleet, session, { device: 'desk', direct, columns: 100, rows: 40 });
    using viewer = await TestTerminal.attach(fleet, session, {
      device: 'phone',
      direct,
      mode: 'view',
      columns: 40,
      rows: 10,
    });
    expect([driver.mode, viewer.mode]).toEqual(['drive', 'view']);
    expect(viewer.notices.find(({ type }) => type === 'screen')).toMatchObject({ columns: 100, rows: 40 });
    viewer.type('typed by the viewer');
    viewer.ask({ type: 'resize', columns: 33, rows: 11 });
    driver.type('typed by the driver');
    await Promise.all([driver.untilShown('typed by the driver'), viewer.untilShown('typed by the driver')]);
    const log = (await fleet.logOf(session)).toString();
    expect(log).not.toContain('viewer');
    expect(log).not.toContain('11 33');
  });

  it('gives way to a take-over, is told, and may take the seat back', async () => {
    const session = await echo();
    using desk = await TestTerminal.attach(fleet, session, { device: 'desk', direct });
    using second = await TestTerminal.attach(fleet, session, { device: 'phone', direct });
    expect(second.mode).toBe('view');
    expect(second.notices.find(({ type }) => type === 'mode')).toMatchObject({ mode: 'view', driver: 'desk' });
    using phone = await TestTerminal.attach(fleet, session, { device: 'phone-2', direct, take: true });
    expect(phone.mode).toBe('drive');
    expect(await desk.untilTold(({ type }) => type === 'mode')).toMatchObject({ mode: 'view', driver: 'phone-2' });
    desk.type('typed by the old driver');
    phone.type('typed by the new driver');
    await phone.untilShown('typed by the new driver');
    expect((await fleet.logOf(session)).toString()).not.toContain('old driver');
    expect(await fleet.refused('POST', `/v1/sessions/${session}/keys`, { bytes: 'eA==' })).toMatchObject({
      code: 'session/not-driver',
    });
    desk.ask({ type: 'take' });
    await phone.untilTold(({ type }) => type === 'mode');
    expect(phone.mode).toBe('view');
    await untilTrue('the desk drives again', () => desk.mode === 'drive');
    expect((await fleet.until(session, () => true)).driver).toBe('desk');
  });

  it('frees its seat when it leaves', async () => {
    const session = await echo();
    const first = await TestTerminal.attach(fleet, session, { device: 'desk', direct });
    await fleet.until(session, ({ driver }) => driver === 'desk');
    await first.leave();
    await fleet.until(session, ({ driver }) => driver === null);
    using next = await TestTerminal.attach(fleet, session, { device: 'phone', direct });
    expect(next.mode).toBe('drive');
    next.type('my turn');
    await next.untilShown('my turn');
  });
});

it('refuses an attach to what has no process', async () => {
  const session = await fleet.session({ argv: ['true'] });
  await fleet.untilState(session, 'done');
  using terminal = await TestTerminal.attach(fleet, session);
  expect(terminal.notices).toMatchObject([{ type: 'refused', code: 'session/not-live' }]);
});

it('works on while the daemon is dead, and has its seat back under the next one', async () => {
  const session = await echo();
  using terminal = await TestTerminal.attach(fleet, session, { device: 'desk', direct: true });
  await fleet.until(session, ({ driver }) => driver === 'desk');
  await fleet.kill();
  terminal.type('nobody is watching');
  await terminal.untilShown('nobody is watching');
  await fleet.up();
  terminal.type('and still');
  await terminal.untilShown('and still');
  using again = await TestTerminal.attach(fleet, session, { device: 'desk', direct: true });
  expect(again.mode).toBe('drive');
  using other = await TestTerminal.attach(fleet, session, { device: 'phone' });
  expect(other.mode).toBe('view');
  again.type('back at the desk');
  await Promise.all([again.untilShown('back at the desk'), other.untilShown('back at the desk')]);
});

it('has one driver also when another terminal comes first after the daemon died', async () => {
  const session = await echo();
  using desk = await TestTerminal.attach(fleet, session, { device: 'desk', direct: true });
  await fleet.restart();
  using phone = await TestTerminal.attach(fleet, session, { device: 'phone' });
  expect(phone.mode).toBe('drive');
  desk.type('typed with an old ticket');
  phone.type('typed by the driver');
  await phone.untilShown('typed by the driver');
  expect((await fleet.logOf(session)).toString()).not.toContain('old ticket');
});

it('gives a relayed terminal that fell behind a fresh screen, and every byte to the log', async () => {
  const session = await fleet.session({ argv: ['sh', '-c', 'read x; seq 1 300000; echo; echo the end; read x'] });
  await fleet.untilLive(session);
  // It never gives credit, so it is behind after the first quarter of a megabyte.
  using lazy = await TestTerminal.attach(fleet, session, { device: 'lazy' });
  lazy.type('\r');
  await untilTrue('all is printed', async () => (await fleet.logOf(session)).includes('the end'));
  lazy.ask({ type: 'resync' });
  await lazy.untilShown('the end');
  expect(lazy.shown.length).toBeLessThan(1_000_000);
  const log = (await fleet.logOf(session)).toString();
  expect(log).toContain(Array.from({ length: 300_000 }, (_, i) => `${i + 1}\r\n`).join(''));
}, 60_000);
