import { expect, test } from 'vitest';
import { keyed } from '../../test/support/documents.ts';
import { type Clock, Emitter, toDisposable } from '../base/index.ts';
import type { KeyedDocument, StreamMessage } from '../protocol/index.ts';
import { FleetView } from './fleet-view.ts';
import { type Socket, type Transport, Unreachable } from './transport.ts';

class ScriptedSocket implements Socket {
  readonly path: string;
  readonly open = new Emitter<void>();
  readonly message = new Emitter<string | Uint8Array>();
  readonly closed = new Emitter<void>();
  readonly onOpen = this.open.event;
  readonly onMessage = this.message.event;
  readonly onClose = this.closed.event;

  constructor(path: string) {
    this.path = path;
  }
  send(): void {}
  close(): void {
    this.closed.fire();
  }
  say(...messages: StreamMessage[]): void {
    for (const message of messages) this.message.fire(JSON.stringify(message));
  }
}

/** A daemon of which the test says what it holds and when it is there. */
class ScriptedDaemon implements Transport {
  snapshot = { seq: 10, documents: [] as KeyedDocument[] };
  isThere = true;
  readonly sockets: ScriptedSocket[] = [];
  readonly waits: { ms: number; fn: () => void }[] = [];
  readonly clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after: (ms, fn) => {
      const wait = { ms, fn };
      this.waits.push(wait);
      return toDisposable(() => this.waits.splice(this.waits.indexOf(wait), 1));
    },
  };

  async request() {
    if (!this.isThere) throw new Unreachable('absent', 'The daemon does not answer');
    return { status: 200, text: JSON.stringify({ schema: 'concert/snapshot@1', ...this.snapshot }) };
  }
  async download(): Promise<never> {
    throw new Error('Not asked for here');
  }
  openSocket(path: string): Socket {
    const socket = new ScriptedSocket(path);
    this.sockets.push(socket);
    return socket;
  }
  get socket(): ScriptedSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('No socket was opened');
    return socket;
  }
  async view() {
    const view = await FleetView.open({ transport: this, clock: this.clock, random: { float: () => 1 } });
    if (!view.ok) throw new Error(view.message);
    return view.value;
  }
}

const one = keyed.session({ id: 's_oneoneone' });
const two = keyed.session({ id: 's_twotwotwo' });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('starts with the snapshot and follows the stream after it', async () => {
  const daemon = new ScriptedDaemon();
  daemon.snapshot.documents = [keyed.host(), one];
  using view = await daemon.view();
  expect(daemon.socket.path).toBe('/v1/stream?since=10');
  const changes: unknown[] = [];
  view.onChange((change) => changes.push(change));

  daemon.socket.say({ seq: 11, upsert: two }, { seq: 12, remove: { kind: 'session', key: one.key } });
  expect(view.lists().sessions).toEqual([two.document]);
  expect(changes).toEqual([
    { upserted: [two], removed: [] },
    { upserted: [], removed: [{ kind: 'session', key: one.key }] },
  ]);
});

test('refuses to begin without a daemon', async () => {
  const daemon = new ScriptedDaemon();
  daemon.isThere = false;
  const view = await FleetView.open({ transport: daemon, clock: daemon.clock, random: { float: () => 1 } });
  expect(view).toMatchObject({ ok: false, code: 'daemon/not-running' });
});

test('comes back with the number it knows, waiting longer each time', async () => {
  const daemon = new ScriptedDaemon();
  using view = await daemon.view();
  const connections: boolean[] = [];
  view.onConnection((isConnected) => connections.push(isConnected));
  daemon.socket.open.fire();
  daemon.socket.say({ seq: 11, upsert: one });
  const waited: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    daemon.socket.close();
    waited.push(daemon.waits[0]?.ms ?? -1);
    daemon.waits.shift()?.fn();
  }
  expect(waited).toEqual([100, 200, 400, 800, 1600, 3000, 3000, 3000]);
  expect(daemon.socket.path).toBe('/v1/stream?since=11');
  daemon.socket.open.fire();
  expect(connections).toEqual([true, false, true]);
  expect(view.isConnected).toBe(true);
});

test('a reset brings a new snapshot; changes wait for it, and what is equal stays the same object', async () => {
  const daemon = new ScriptedDaemon();
  daemon.snapshot.documents = [one, two];
  using view = await daemon.view();
  const before = view.session(one.key);
  const changes: unknown[] = [];
  view.onChange((change) => changes.push(change));

  const three = keyed.session({ id: 's_threethre' });
  const twoChanged = keyed.session({ id: two.key, state: 'review' });
  daemon.snapshot = { seq: 5_000, documents: [structuredClone(one), three] };
  daemon.socket.say(
    { seq: 5_000, reset: true },
    { seq: 4_999, upsert: twoChanged },
    { seq: 5_001, upsert: keyed.session({ id: three.key, state: 'done' }) },
  );
  expect(changes).toEqual([]);
  await settled();

  expect(view.session(one.key)).toBe(before);
  expect(view.session(two.key)).toBeUndefined();
  expect(view.session(three.key)?.state).toBe('done');
  expect(changes).toEqual([
    { upserted: [three], removed: [{ kind: 'session', key: two.key }] },
    { upserted: [keyed.session({ id: three.key, state: 'done' })], removed: [] },
  ]);
});

test('a refresh that fails begins the connection anew', async () => {
  const daemon = new ScriptedDaemon();
  using view = await daemon.view();
  daemon.isThere = false;
  daemon.socket.say({ seq: 1, reset: true });
  await settled();
  expect(daemon.waits).toHaveLength(1);
  expect(view.isConnected).toBe(false);
});

test('disposing ends every attempt', async () => {
  const daemon = new ScriptedDaemon();
  const view = await daemon.view();
  daemon.socket.close();
  view[Symbol.dispose]();
  expect(daemon.waits).toEqual([]);
});
