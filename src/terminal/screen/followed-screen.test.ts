import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import type { HolderSubscribe } from '../../protocol/index.ts';
import type { ChannelListener, HolderConnection } from '../holder-connection.ts';
import { readCheckpointFile } from './checkpoint-file.ts';
import { FollowedScreen } from './followed-screen.ts';
import type { ScreenNews, WatchedTerminal } from './screen-messages.ts';
import { Turns } from './turns.ts';

let folder: ReturnType<typeof temporaryFolder>;
let terminal: WatchedTerminal;
const open: FollowedScreen[] = [];

beforeEach(() => {
  folder = temporaryFolder();
  terminal = {
    session: 's_one',
    incarnation: 1,
    holderSocket: '',
    channel: 1,
    columns: 20,
    rows: 4,
    startedFrom: 0,
    checkpointPath: join(folder.path, 'screen'),
  };
});

afterEach(() => {
  for (const screen of open.splice(0)) screen.close();
  folder[Symbol.dispose]();
});

/** The holder's end, so that a test decides what arrives between what. */
class Line {
  readonly subscribed: HolderSubscribe[] = [];
  readonly answers: string[] = [];
  retained = 0;
  credit = 0;
  listener: ChannelListener | undefined;

  readonly connection = {
    subscribe: (_channel: number, request: HolderSubscribe, listener: ChannelListener) => {
      this.subscribed.push(request);
      this.listener = listener;
      return { credit: (bytes: number) => (this.credit += bytes), [Symbol.dispose]() {} };
    },
    answer: (_channel: number, offset: number, bytes: Uint8Array) =>
      this.answers.push(`${offset} ${Buffer.from(bytes)}`),
    retain: (_channel: number, offset: number) => (this.retained = offset),
  } as unknown as HolderConnection;

  say(offset: number, text: string): void {
    const bytes = Buffer.from(text);
    this.listener?.data(offset, bytes, offset + bytes.length);
  }
}

async function follow(change: Partial<WatchedTerminal> = {}, turns = new Turns((run) => run())) {
  const news: ScreenNews[] = [];
  const line = new Line();
  const screen = await FollowedScreen.open({ ...terminal, ...change }, { tell: (said) => news.push(said), turns });
  open.push(screen);
  screen.follow(line.connection, 0);
  return { news, line, screen, lines: () => screen.text().lines.join('|') };
}

test('parses, answers, tells and gives credit back', async () => {
  const { news, line, screen, lines } = await follow();
  line.say(0, 'hello\x1b[6n\x1b]2;title\x07');
  line.listener?.resized(19, 30, 5);
  expect([lines(), screen.text().columns, line.credit, line.answers]).toEqual(['hello||||', 30, 19, ['9 \x1b[1;6R']]);
  expect(news).toEqual([
    { type: 'events', events: [{ session: 's_one', event: { offset: 19, type: 'title', title: 'title' } }] },
    { type: 'output', session: 's_one', head: 19 },
  ]);
});

test('output that comes twice over a new subscription is taken once', async () => {
  const { news, line, screen, lines } = await follow();
  line.say(0, 'one ');
  screen.look(20_000);
  expect(line.subscribed.map(({ from, coalesceMs }) => [from, coalesceMs])).toEqual([
    [0, 2],
    [4, 40],
  ]);
  // Still from the first subscription, then the second from where it began.
  line.say(4, 'two ');
  line.listener?.resized(4, 99, 9);
  line.say(4, 'two thr');
  line.say(8, 'three');
  expect([lines(), screen.text().columns]).toEqual(['one two three|||', 20]);
  expect(news.filter(({ type }) => type === 'failed')).toEqual([]);
  expect(line.credit).toBe(4 + 4 + 7 + 5);
});

test('where output is missing the screen goes on, modes and all, out of any half sequence', async () => {
  const { news, line, screen, lines } = await follow();
  line.say(0, 'before\x1b[?2004h\x1b]2;half');
  line.listener?.gap(23, 500);
  line.say(500, ' after\x1b[?2004$p');
  expect([lines(), screen.text().offset, line.answers]).toEqual(['before after|||', 515, ['515 \x1b[?2004;1$y']]);
  expect(news).toContainEqual({ type: 'gap', session: 's_one', from: 23, to: 500 });
  // Even when nobody said so.
  line.say(600, '!');
  expect(lines()).toBe('before after!|||');
});

test('saves what it has when asked, and begins there the next time', async () => {
  const first = await follow();
  first.line.say(0, 'kept\x1b]2;name\x07\x1b[3');
  await first.screen.save();
  expect(first.line.retained).toBe(16);
  const second = await follow();
  expect([second.lines(), second.line.subscribed[0]?.from, second.news]).toEqual(['kept|||', 16, []]);
  second.line.say(16, '1mred');
  expect(second.screen.text().title).toBe('name');
});

test('saves by itself after much output and when it has come to rest', async () => {
  const { line, screen } = await follow();
  line.say(0, 'x'.repeat(1_100_000));
  await screen.save();
  expect(line.retained).toBe(1_100_000);
  line.say(1_100_000, 'y');
  screen.look(performance.now() + 1_000);
  screen.look(performance.now() + 60_000);
  await expect.poll(() => line.retained).toBe(1_100_001);
});

test('a damaged screen, or one of an earlier process, is not used', async () => {
  const first = await follow();
  first.line.say(0, 'old');
  await first.screen.save();
  const later = await follow({ incarnation: 2, startedFrom: 3 });
  expect([later.lines(), later.line.subscribed[0]?.from]).toEqual(['|||', 3]);
  const sound = Buffer.from((await readCheckpointFile(terminal.checkpointPath))?.checkpoint.bytes ?? []);
  expect(sound.toString()).toContain('old');
  for (const damage of [Buffer.alloc(0), Buffer.from('short'), Buffer.alloc(500, 7)]) {
    writeFileSync(terminal.checkpointPath, damage);
    expect((await follow()).line.subscribed[0]?.from).toBe(0);
  }
});

test('the last screen is saved before the end is told', async () => {
  const { news, line } = await follow();
  line.say(0, 'last words');
  line.listener?.exited(10, { code: 0, signal: null, at: 1 });
  await expect.poll(() => news.at(-1)?.type).toBe('exited');
  expect((await readCheckpointFile(terminal.checkpointPath))?.checkpoint.offset).toBe(10);
});

test('one that floods with what is hard to parse does not keep another waiting', async () => {
  const deferred: (() => void)[] = [];
  const turns = new Turns((run) => deferred.push(run));
  const hostile = await follow({}, turns);
  const quiet = await follow({ session: 's_two', checkpointPath: join(folder.path, 'two') }, turns);
  hostile.line.say(0, '\x1b[1024S'.repeat(9_000));
  quiet.line.say(0, 'hello');
  let rounds = 0;
  for (; quiet.lines() !== 'hello|||'; rounds++) deferred.shift()?.();
  expect([rounds <= 2, hostile.screen.text().offset < 63_000, deferred.length]).toEqual([true, true, 1]);
});
