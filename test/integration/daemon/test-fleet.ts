import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import type {
  DoneDocument,
  ErrorDocument,
  RunDocument,
  SessionDocument,
  SnapshotDocument,
  StreamMessage,
  TaskStartRequest,
} from '../../../src/protocol/index.ts';
import { BuiltDaemon, type ReadyLine } from '../../support/built-daemon.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { checkDocument, checkRefusal } from './check-document.ts';
import { Tmpfs } from './tmpfs.ts';

/** What is waited for takes milliseconds; a machine busy with other tests gets this long before the test says what it saw. */
const patienceMs = 15_000;

/** The built daemon in a short private folder, spoken to as a client does. Every answer is held against its schema. */
export class TestFleet extends BuiltDaemon {
  readonly folder: string;
  /** Where the home is a small disk of its own. */
  readonly disk: Tmpfs | null;
  readonly #temporary: Disposable;

  private constructor(
    temporary: Disposable & { path: string },
    home: string,
    env: Record<string, string>,
    disk?: string,
  ) {
    super(home, env);
    this.folder = temporary.path;
    this.logPath = join(this.folder, 'daemon.log');
    this.disk = disk === undefined ? null : new Tmpfs(home, disk);
    this.#temporary = temporary;
  }

  /** Not started yet. `home` is below the folder, or anywhere when it is absolute. */
  static prepare(env: Record<string, string> = {}, home = 'h'): TestFleet {
    const temporary = temporaryFolder();
    return new TestFleet(temporary, home.startsWith('/') ? home : join(temporary.path, home), env);
  }

  /** A home on a small disk of its own. */
  static prepareOnDisk(options: string, env: Record<string, string> = {}): TestFleet {
    const temporary = temporaryFolder();
    return new TestFleet(temporary, join(temporary.path, 'h'), env, options);
  }

  static async start(env: Record<string, string> = {}): Promise<TestFleet> {
    const fleet = TestFleet.prepare(env);
    try {
      await fleet.up();
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the daemon and expects it to serve. */
  async up(): Promise<ReadyLine> {
    const ready = await this.start();
    if (!ready.ready) throw new Error(`The daemon did not start: ${ready.message}\n${this.log()}`);
    return ready;
  }

  /** SIGKILL, then a new one. */
  async restart(): Promise<void> {
    await this.kill();
    await this.up();
  }

  /** Asks for a document and expects it. */
  override async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, body: bytes } = await this.ask(method, path, body);
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    checkDocument(value);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(value)}`);
    return value as T;
  }

  /** Asks for something and expects to be refused with a sentence. */
  async refused(method: string, path: string, body?: unknown): Promise<ErrorDocument> {
    const { status, body: bytes } = await this.ask(method, path, body);
    return checkRefusal(status, JSON.parse(bytes.toString('utf8')));
  }

  /** In place in the test's folder, with a PATH, unless the request says otherwise. */
  run(request: Partial<TaskStartRequest> & { argv?: string[] }): Promise<RunDocument> {
    return this.json('POST', '/v1/tasks', this.#request(request));
  }

  refusedRun(request: Record<string, unknown>): Promise<ErrorDocument> {
    return this.refused('POST', '/v1/tasks', this.#request(request));
  }

  /** Runs a command and gives back its session, which must start at once. */
  async session(request: Partial<TaskStartRequest> & { argv?: string[] }): Promise<string> {
    const { session } = await this.run(request);
    if (session === null) throw new Error('The task waits in the queue');
    return session;
  }

  act(session: string, verb: string, body: unknown = {}): Promise<DoneDocument> {
    return this.json('POST', `/v1/sessions/${session}/${verb}`, body);
  }

  async logOf(session: string, from = 0): Promise<Buffer> {
    const { status, body } = await this.get(`/v1/sessions/${session}/log?from=${from}`);
    if (status !== 200) throw new Error(`Log of ${session}: ${status} ${body.toString('utf8')}`);
    return body;
  }

  /** Resolves with the session's document once it is as wanted, by the live stream. */
  async until(session: string, holds: (document: SessionDocument) => boolean): Promise<SessionDocument> {
    let last: SessionDocument | undefined;
    const found = await this.untilView((view) => {
      last = view.sessions.get(session);
      return last !== undefined && holds(last);
    }).catch((error: Error) => {
      throw new Error(`${error.message}; session ${session} is ${JSON.stringify(last)}`);
    });
    return found.sessions.get(session) as SessionDocument;
  }

  untilState(session: string, state: SessionDocument['state']): Promise<SessionDocument> {
    return this.until(session, (document) => document.state === state);
  }

  /** It has a process whose program has had the chance to print. */
  untilLive(session: string): Promise<SessionDocument> {
    return this.until(session, ({ pid }) => pid !== null);
  }

  /** Follows the live view until it is as wanted. */
  async untilView(holds: (view: LiveView) => boolean): Promise<LiveView> {
    const snapshot = await this.json<SnapshotDocument>('GET', '/v1/snapshot');
    const view: LiveView = { sessions: new Map(), queued: [] };
    for (const keyed of snapshot.documents) apply(view, { seq: 0, upsert: keyed });
    if (holds(view)) return view;
    const stream = this.webSocket(`/v1/stream?since=${snapshot.seq}`);
    try {
      return await new Promise<LiveView>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`Waited for ${patienceMs} ms`)), patienceMs);
        stream.on('close', () => {
          clearTimeout(timer);
          reject(new Error('The stream ended'));
        });
        stream.on('error', reject);
        stream.on('message', (text) => {
          apply(view, JSON.parse(String(text)) as StreamMessage);
          if (holds(view)) resolve(view);
        });
      });
    } finally {
      stream.terminate();
    }
  }

  webSocket(path: string): WebSocket {
    return new WebSocket(`ws+unix:${this.paths.socket}:${path}`, { perMessageDeflate: false });
  }

  /** The daemon's own process; its memory and descriptors tell how it fares. */
  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** A folder of its own, made. */
  place(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.disk?.[Symbol.dispose]();
    this.#temporary[Symbol.dispose]();
  }

  #request(request: Record<string, unknown>): Record<string, unknown> {
    return {
      cwd: this.folder,
      inPlace: true,
      agent: 'generic',
      env: { PATH: process.env['PATH'] ?? '' },
      ...request,
    };
  }
}

export interface LiveView {
  sessions: Map<string, SessionDocument>;
  /** Titles of waiting tasks by task id, in order. */
  queued: { task: string; title: string; position: number }[];
}

function apply(view: LiveView, message: StreamMessage): void {
  if ('upsert' in message) {
    const { kind, key, document } = message.upsert;
    if (kind === 'session') view.sessions.set(key, document);
    else if (kind === 'queued') {
      view.queued = [...view.queued.filter(({ task }) => task !== key), document].sort(
        (a, b) => a.position - b.position,
      );
    }
  } else if ('remove' in message) {
    const { kind, key } = message.remove;
    if (kind === 'session') view.sessions.delete(key);
    else if (kind === 'queued') view.queued = view.queued.filter(({ task }) => task !== key);
  }
}

/** For what only the outside shows, such as a process that ends or a file that grows. */
export async function untilTrue(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Not within ${patienceMs} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

/** A repository with one commit. */
export function makeRepository(path: string): string {
  mkdirSync(path, { recursive: true });
  git(path, 'init', '-q', '-b', 'main');
  git(path, 'commit', '-q', '--allow-empty', '-m', 'first');
  return path;
}

export function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
