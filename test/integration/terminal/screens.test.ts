import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../../src/base/index.ts';
import { type FakeChild, ScreenPool, startFakeChild, type WatchedTerminal } from '../../../src/terminal/index.ts';
import { restoreScreen } from '../../../src/terminal/screen/create-screen.ts';
import type { ScreenEvent } from '../../../src/terminal/screen/screen-events.ts';
import { darkLook } from '../../../src/terminal/screen/screen-queries.ts';
import { clock, type LocalHolder, openHolder, startOf } from './support.ts';

/** Scripted programs in a holder, their screens in worker threads. */
let holder: LocalHolder;
let pool: ScreenPool;
let child: FakeChild;
let typed: string;
let terminal: WatchedTerminal;
const events: ScreenEvent[] = [];

const workers = {
  real: new URL('../../../src/terminal/screen/screen-worker.ts', import.meta.url),
  fragile: new URL('../../support/screen/fragile-worker.ts', import.meta.url),
};

beforeEach(async () => {
  typed = '';
  events.length = 0;
  const started = new Promise<FakeChild>((resolve) => {
    void openHolder({ startChild: startFakeChild(resolve) }).then(async (opened) => {
      holder = opened;
      const daemon = await holder.connect('daemon');
      const reply = await daemon.start(startOf(holder.folder, { columns: 40, rows: 5 }));
      if (!reply.ok) throw new Error(reply.message);
      terminal = {
        session: 's_one',
        incarnation: 1,
        holderSocket: holder.socketPath,
        channel: reply.value.channel,
        columns: 40,
        rows: 5,
        startedFrom: 0,
        checkpointPath: holder.folder.at('screen'),
      };
    });
  });
  child = await started;
  await soon(() => terminal?.holderSocket).toBe(holder.socketPath);
  child.onInput = (bytes) => {
    typed += Buffer.from(bytes).toString('latin1');
  };
});

afterEach(async () => {
  await pool[Symbol.asyncDispose]();
  holder[Symbol.dispose]();
});

function openPool(entry: URL): void {
  pool = new ScreenPool({ clock, log: silentLog }, { workers: 1, entry, epoch: 1 });
  pool.onEvent(({ event }) => events.push(event));
  pool.watch(terminal);
}

/** A worker thread takes its time to start on a busy machine. */
const soon = (look: () => unknown) => expect.poll(look, { timeout: 15_000 });
const shown = async () => (await pool.text('s_one', terminal.checkpointPath))?.lines.join('|');

test('a program asks, and the answer is typed into it; what it says is told; its screen can be had', async () => {
  openPool(workers.real);
  child.print('\x1b]2;title\x07hello\x1b[6n\x1b]7501;?\x1b\\\x1b[c');
  await soon(() => typed).toBe('\x1b[1;6R\x1b]7501;?\x1b\\\x1b[?62;22;52c');
  await soon(shown).toBe('hello||||');
  expect(events).toEqual([{ offset: 10, type: 'title', title: 'title' }]);
  const checkpoint = await pool.checkpoint('s_one', 1000);
  using screen = restoreScreen(checkpoint, { listeners: { event() {}, answer() {} } });
  expect([checkpoint.offset, screen.text().title]).toEqual([32, 'title']);
  child.print('\r\n'.repeat(20));
  await soon(async () => (await pool.page('s_one', 3, 2))?.lines).toEqual(['hello', '']);
});

test('the program is told of the window it is shown in', async () => {
  openPool(workers.real);
  pool.setLook('s_one', { ...darkLook, scheme: 'light' });
  child.print('\x1b[?996n');
  await soon(() => typed).toBe('\x1b[?997;2n');
});

test('a worker that dies is replaced, its screens rebuilt, and nothing answered twice', async () => {
  openPool(workers.fragile);
  child.print('before\x1b[6n');
  await soon(() => typed).toBe('\x1b[1;7R');
  pool.setLook('s_one', { ...darkLook, cellWidth: 0 });
  child.print(' after\x1b[6n');
  await soon(shown).toBe('before after||||');
  await soon(() => typed).toBe('\x1b[1;7R\x1b[1;13R');
});

test('the next pool goes on from what this one saved, and reads little again', async () => {
  openPool(workers.real);
  child.print(`${'x'.repeat(100_000)}\r\n\x1b]2;kept\x07end`);
  await soon(shown).toContain('end');
  await pool[Symbol.asyncDispose]();
  events.length = 0;
  openPool(workers.real);
  child.print('!');
  await soon(shown).toContain('end!');
  expect(events).toEqual([]);
});

test('the end is told after the last byte, and the last screen stays', async () => {
  openPool(workers.real);
  const ended = new Promise<string>((resolve) => {
    pool.onExited(({ session, exit }) => resolve(`${session} ${exit.code}`));
  });
  child.print('last words');
  child.exit({ code: 3, signal: null });
  expect(await ended).toBe('s_one 3');
  expect(await shown()).toBe('last words||||');
});
