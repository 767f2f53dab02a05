/**
 * A worker thread that keeps screens. It reads the holders' sockets itself, so that terminal bytes never pass the
 * daemon's main thread, and sends there only what was said: events, ends, and answers to questions.
 */
import { parentPort } from 'node:worker_threads';
import { assert, backoffMs, type Clock, toDisposable } from '../../base/index.ts';
import { HolderConnection } from '../holder-connection.ts';
import { readCheckpointFile } from './checkpoint-file.ts';
import { restoreScreen } from './create-screen.ts';
import { FollowedScreen } from './followed-screen.ts';
import type { ScreenAnswerTo, ScreenNews, ScreenOrder, ScreenQuestion, WatchedTerminal } from './screen-messages.ts';
import type { ScreenText } from './screen-model.ts';
import type { ScreenLook } from './screen-queries.ts';
import { Turns } from './turns.ts';

const lookMs = 2_000;
const reconnectBackoff = { firstMs: 50, maxMs: 2_000 };

assert(parentPort !== null, 'A screen worker runs as a worker thread');
const port = parentPort;
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return toDisposable(() => clearTimeout(timer));
  },
};

const screens = new Map<string, FollowedScreen>();
/** Of screens whose file is still being read. */
const opening = new Map<string, WatchedTerminal>();
const turns = new Turns(setImmediate);
/** One connection serves all sessions of a holder. */
const connections = new Map<string, Promise<HolderConnection>>();
let isClosed = false;

port.on('message', (order: ScreenOrder) => {
  switch (order.type) {
    case 'watch':
      return void watch(order.terminal, order.epoch);
    case 'drop':
      return drop(order.session);
    case 'look':
      return setLook(order.session, order.look);
    case 'ask':
      return void answer(order.question).then((found) => tell({ type: 'answer', id: order.id, answer: found }));
    case 'close':
      return void close();
  }
});
let nextLook = clock.after(lookMs, look);

/** Events of one tick go together. */
let waiting: Extract<ScreenNews, { type: 'events' }>['events'] = [];
function tell(news: ScreenNews): void {
  if (news.type !== 'events') {
    flush();
    return port.postMessage(news);
  }
  if (waiting.length === 0) setImmediate(flush);
  waiting.push(...news.events);
}
function flush(): void {
  if (waiting.length === 0) return;
  port.postMessage({ type: 'events', events: waiting } satisfies ScreenNews);
  waiting = [];
}

async function watch(terminal: WatchedTerminal, epoch: number): Promise<void> {
  drop(terminal.session);
  opening.set(terminal.session, terminal);
  const screen = await FollowedScreen.open(terminal, { tell, turns });
  if (isClosed || opening.get(terminal.session) !== terminal) return screen.close();
  opening.delete(terminal.session);
  screens.set(terminal.session, screen);
  await follow(screen, epoch, 0);
}

/** Connects, and again when the connection ends, for as long as the screen is wanted. */
async function follow(screen: FollowedScreen, epoch: number, attempt: number): Promise<void> {
  const { session, holderSocket } = screen.terminal;
  const isWanted = () => !isClosed && screens.get(session) === screen;
  const later = (next: number) =>
    clock.after(backoffMs(reconnectBackoff, next, 0.5), () => isWanted() && void follow(screen, epoch, next));
  try {
    const connection = await connect(holderSocket, epoch);
    if (!isWanted()) return;
    connection.onClosed(() => isWanted() && later(0));
    screen.follow(connection, clock.monotonic());
  } catch {
    // The holder may be gone for good; the daemon finds that out and drops the screen.
    later(attempt + 1);
  }
}

function connect(socketPath: string, epoch: number): Promise<HolderConnection> {
  const known = connections.get(socketPath);
  if (known !== undefined) return known;
  const opening = HolderConnection.open({ socketPath, role: 'screen', epoch, clock });
  connections.set(socketPath, opening);
  const forget = () => connections.get(socketPath) === opening && connections.delete(socketPath);
  opening.then((connection) => connection.onClosed(forget), forget);
  return opening;
}

function setLook(session: string, look: ScreenLook): void {
  const terminal = opening.get(session);
  if (terminal !== undefined) terminal.look = look;
  else screens.get(session)?.setLook(look);
}

function drop(session: string): void {
  opening.delete(session);
  screens.get(session)?.close();
  screens.delete(session);
}

async function answer(question: ScreenQuestion): Promise<ScreenAnswerTo> {
  const screen = screens.get(question.session);
  switch (question.type) {
    case 'checkpoint':
      return screen?.checkpoint(question.history) ?? null;
    case 'text':
      return screen?.text() ?? (await savedText(question.checkpointPath));
    case 'page':
      return screen?.page(question.count, question.before) ?? null;
    case 'sized':
      await new Promise<void>((done) => {
        clock.after(question.waitMs, done);
        if (screen === undefined) done();
        else screen.whenSized(question.columns, question.rows, done);
      });
      return null;
  }
}

async function savedText(path: string): Promise<ScreenText | null> {
  const saved = await readCheckpointFile(path);
  if (saved === null) return null;
  using screen = restoreScreen(saved.checkpoint, { listeners: { event() {}, answer() {} } });
  return screen.text();
}

function look(): void {
  for (const screen of screens.values()) screen.look(clock.monotonic());
  nextLook = clock.after(lookMs, look);
}

/** Saves what changed, so that the next daemon starts from there. */
async function close(): Promise<void> {
  isClosed = true;
  nextLook[Symbol.dispose]();
  await Promise.all([...screens.values()].map((screen) => screen.save()));
  for (const session of [...screens.keys()]) drop(session);
  for (const opening of connections.values()) (await opening.catch(() => null))?.[Symbol.dispose]();
  tell({ type: 'closed' });
  port.close();
}
