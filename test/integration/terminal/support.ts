import { createHash, type Hash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Random, silentLog, toDisposable } from '../../../src/base/index.ts';
import {
  decodeJson,
  encodeFrame,
  encodeJson,
  FrameReader,
  FrameType,
  type HolderExit,
  type HolderStart,
} from '../../../src/protocol/index.ts';
import type { StartChild } from '../../../src/terminal/holder/child.ts';
import { Holder } from '../../../src/terminal/holder/holder.ts';
import type { LogFiles } from '../../../src/terminal/holder/log-files.ts';
import type { OrphanGuard } from '../../../src/terminal/holder/orphan-guard.ts';
import { startChild } from '../../../src/terminal/holder/start-child.ts';
import {
  type ChannelListener,
  type ChannelSubscription,
  HolderConnection,
  type HolderProgram,
  holderDefaults,
} from '../../../src/terminal/index.ts';

export const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return toDisposable(() => clearTimeout(timer));
  },
};

export const random: Random = {
  float: Math.random,
  id: (length) =>
    Array.from({ length }, () => 'abcdefghjkmnpqrstuvwxyz23456789'[Math.floor(Math.random() * 31)]).join(''),
};

/** The holder as it runs from a clone: straight from the source. */
export const program: HolderProgram = {
  nodePath: process.execPath,
  entry: new URL('../../../src/terminal/holder/main.ts', import.meta.url).pathname,
};

/** A short private folder, gone with its owner. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ch-'));

  at(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const noGuard: OrphanGuard = { watch() {}, forget() {}, [Symbol.dispose]() {} };

export interface LocalHolder extends Disposable {
  folder: Folder;
  socketPath: string;
  isDone: boolean;
  peers(): number;
  connect(
    role?: 'daemon' | 'screen' | 'terminal',
    options?: { epoch?: number; ticket?: string },
  ): Promise<HolderConnection>;
}

/** A holder in this process, on a real socket. Closes with its connections and its folder. */
export async function openHolder(
  options: Partial<typeof holderDefaults> & { startChild?: StartChild; files?: LogFiles; folder?: Folder } = {},
): Promise<LocalHolder> {
  const { startChild: start = startChild, files, folder = new Folder(), ...limits } = options;
  const socketPath = folder.at('run', 'h.sock');
  const connections: HolderConnection[] = [];
  const config = {
    ...holderDefaults,
    tickMs: 5,
    ...limits,
    holder: 'h_test',
    version: '0.0.0',
    socket: socketPath,
    registryDir: folder.at('registry'),
    stateDir: folder.at('state'),
  };
  const local: LocalHolder = {
    folder,
    socketPath,
    isDone: false,
    peers: () => holder.peers,
    async connect(role = 'daemon', { epoch = role === 'terminal' ? 0 : 1, ticket } = {}) {
      const how = { socketPath, role, epoch, clock, ...(ticket === undefined ? {} : { ticket }) };
      const connection = await HolderConnection.open(how);
      connections.push(connection);
      return connection;
    },
    [Symbol.dispose]() {
      for (const connection of connections) connection[Symbol.dispose]();
      holder[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
  const holder = await Holder.open(config, {
    startChild: start,
    guard: noGuard,
    now: Date.now,
    log: silentLog,
    onDone: () => {
      local.isDone = true;
    },
    ...(files === undefined ? {} : { files }),
  });
  return local;
}

/** A start request with everything that a test does not care about. */
export function startOf(
  folder: Folder,
  start: Partial<Omit<HolderStart, 'requestId'>> = {},
): Omit<HolderStart, 'requestId'> {
  const session = start.session ?? 's_one';
  const name = start.name ?? 'main';
  return {
    session,
    incarnation: 1,
    name,
    argv: ['cat'],
    cwd: '/',
    env: { PATH: '/bin:/usr/bin', TERM: 'xterm-256color' },
    io: 'pty',
    columns: 80,
    rows: 24,
    logDir: folder.at('logs', session, name),
    retainBytes: 64 * 1024 * 1024,
    capBytes: 256 * 1024 * 1024,
    ...start,
  };
}

export function shell(script: string): { argv: string[] } {
  return { argv: ['/bin/sh', '-c', script] };
}

/** Reads one channel and waits for what a test is after. Offsets must follow each other, or a gap must say why not. */
export class Reader implements ChannelListener, Disposable {
  readonly hash: Hash;
  readonly sizes: { offset: number; columns: number; rows: number }[] = [];
  readonly gaps: { from: number; to: number }[] = [];
  exit: HolderExit | null = null;
  exitOffset = -1;
  offset: number;
  head = 0;
  frames = 0;
  /** The newest 64 KiB of output. */
  text = '';
  problem: string | null = null;
  #subscription: ChannelSubscription;
  #isCrediting: boolean;
  #waiting: (() => void)[] = [];

  constructor(
    connection: HolderConnection,
    channel: number,
    { from = 0, credit = 256 * 1024, coalesceMs = 0, isCrediting = true, hash = createHash('sha256') } = {},
  ) {
    this.offset = from;
    this.hash = hash;
    this.#isCrediting = isCrediting;
    connection.onClosed(() => this.#wake());
    this.#subscription = connection.subscribe(channel, { from, credit, coalesceMs }, this);
  }

  data(offset: number, bytes: Uint8Array, head: number): void {
    if (offset !== this.offset) this.problem ??= `data at ${offset} instead of ${this.offset}`;
    if (this.sizes.length === 0) this.problem ??= 'data before any size';
    this.offset = offset + bytes.length;
    this.head = head;
    this.frames++;
    this.hash.update(bytes);
    this.text = (this.text + Buffer.from(bytes).toString('latin1')).slice(-65_536);
    if (this.#isCrediting) this.#subscription.credit(bytes.length);
    this.#wake();
  }

  resized(offset: number, columns: number, rows: number): void {
    this.sizes.push({ offset, columns, rows });
    this.#wake();
  }

  gap(from: number, to: number): void {
    if (from !== this.offset) this.problem ??= `gap from ${from} instead of ${this.offset}`;
    this.gaps.push({ from, to });
    this.offset = to;
    this.#wake();
  }

  exited(offset: number, exit: HolderExit): void {
    this.exit = exit;
    this.exitOffset = offset;
    this.#wake();
  }

  credit(bytes: number): void {
    this.#subscription.credit(bytes);
  }

  async until(condition: (reader: this) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this;
  }

  ended(): Promise<this> {
    return this.until(() => this.exit !== null);
  }

  /** Nothing that is still on its way counts after this. */
  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A client without manners: sends any bytes, notes what comes back. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  readonly frames: { type: number; channel: number; json: unknown }[] = [];
  isClosed = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader();
    socket.on('data', (chunk) => {
      reader.push(chunk, ({ type, channel }, payload) => {
        const json = type === FrameType.data ? null : tryJson(payload);
        this.frames.push({ type, channel, json });
      });
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static open(path: string): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(new RawClient(socket)));
      socket.once('error', reject);
    });
  }

  send(
    type: number,
    { channel = 0, epoch = 1, json }: { channel?: number; epoch?: number; json?: unknown } = {},
  ): void {
    this.socket.write(encodeFrame(type, channel, epoch, json === undefined ? new Uint8Array(0) : encodeJson(json)));
  }

  hello(role = 'daemon', protocol = 1): void {
    this.send(FrameType.hello, { json: { protocol, role } });
  }

  async until(condition: (client: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function tryJson(payload: Uint8Array): unknown {
  try {
    return decodeJson(payload);
  } catch {
    // Not every frame is JSON; those that are not are of no interest here.
    return null;
  }
}

/** Whether a process runs; one that nobody reaped yet does not. */
export function isThere(pid: number): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** For what only the system can tell: looks again until it is so. */
export async function eventually(condition: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > until) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function fileExists(path: string): boolean {
  return existsSync(path);
}
