import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { RunDocument } from '../src/protocol/index.ts';
import { BuiltDaemon, childrenOf } from '../test/support/built-daemon.ts';
import { endWithUs } from './end-with-us.ts';
import { until } from './measure.ts';
import { TerminalClient } from './terminal-client.ts';
import type { PaneSize } from './tmux.ts';

/** The built product in a private home inside `folder`, with as many slots as the bench wants sessions. */
export class BenchFleet implements AsyncDisposable {
  readonly daemon: BuiltDaemon;
  readonly #folder: string;
  readonly #clients: TerminalClient[] = [];
  readonly #last: Disposable;

  private constructor(daemon: BuiltDaemon, folder: string) {
    this.daemon = daemon;
    this.#folder = folder;
    this.#last = endWithUs(() => {
      const leaders = daemon.holderPids().flatMap(childrenOf);
      for (const pid of [...this.pids, ...leaders.map((leader) => -leader)]) endQuietly(pid);
    });
  }

  static async start(folder: string, sessions: number): Promise<BenchFleet> {
    const daemon = new BuiltDaemon(join(folder, 'home'), { CONCERT_SLOTS: String(sessions) });
    const ready = await daemon.start();
    if (!ready.ready) throw new Error(`The daemon did not start: ${ready.message}\n${daemon.log()}`);
    return new BenchFleet(daemon, folder);
  }

  /** Resolves with the session's id once its program runs. */
  async run(name: string, argv: readonly string[], { columns, rows }: PaneSize): Promise<string> {
    const started = await this.daemon.json<RunDocument>('POST', '/v1/tasks', {
      cwd: this.#folder,
      inPlace: true,
      name,
      agent: 'generic',
      argv,
      tab: null,
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' },
      columns,
      rows,
    });
    const { session } = started;
    if (session === null) throw new Error(`"${name}" was queued: ${started.needs}`);
    await until(`"${name}" starts`, async () => (await this.#pidOf(session)) !== null);
    return session;
  }

  /** Process that a session runs; leader of its group. */
  async pid(session: string): Promise<number> {
    const pid = await this.#pidOf(session);
    if (pid === null) throw new Error(`Session ${session} has ended`);
    return pid;
  }

  /** The daemon and every holder. */
  get pids(): number[] {
    const daemon = this.daemon.child?.pid;
    return [...(daemon === undefined ? [] : [daemon]), ...this.daemon.holderPids()];
  }

  /** Terminal devices of all sessions. */
  async terminals(): Promise<string[]> {
    const sessions = await this.daemon.sessions();
    return sessions.map(({ pid }) => readlinkSync(`/proc/${pid}/fd/0`));
  }

  /** An attached terminal, closed with the fleet. */
  async attach(session: string, options: { direct: boolean; history?: number } & PaneSize): Promise<TerminalClient> {
    const client = await TerminalClient.open(this.daemon.paths.socket, session);
    this.#clients.push(client);
    await client.attach(options);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.daemon[Symbol.asyncDispose]();
    this.#last[Symbol.dispose]();
  }

  async #pidOf(session: string): Promise<number | null> {
    return (await this.daemon.sessions()).find(({ id }) => id === session)?.pid ?? null;
  }
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, which is what was wanted.
  }
}
