import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LaunchPlan } from '../agents/index.ts';
import { type Clock, DisposableStore, Emitter, type Log, ok, type Random, type Result, refuse } from '../base/index.ts';
import {
  type ExitFacts,
  type FleetState,
  type FoundChannel,
  heardTo,
  type Input,
  type ProcessFacts,
} from '../fleet/index.ts';
import {
  type Config,
  type ErrorCode,
  type HolderChannel,
  type HolderExit,
  type Home,
  SessionId,
} from '../protocol/index.ts';
import type { TerminalOutlet, TerminalPort, TerminalSeat } from '../server/index.ts';
import {
  type ChannelSubscription,
  HolderConnection as Connection,
  canUseSystemdScope,
  type HolderConnection,
  HolderPool,
  highestEpoch,
  type PooledHolder,
  readLog,
  ScreenPool,
  summarizeLog,
  systemdScope,
} from '../terminal/index.ts';
import { inScope } from './agent-scope.ts';
import type { Entries } from './entries.ts';
import { sessionFolder } from './home.ts';
import { ScreenSignals } from './screen-signals.ts';
import type { SignalRouter } from './signal-router.ts';
import { AttachedTerminal, type LiveTerminal } from './terminal-seat.ts';

const mib = 1_048_576;
/** Added to an agent's badness for the kernel's out-of-memory choice; a holder stays at 0. */
const agentOomScoreAdj = 500;
/** How long an attach waits for the screen to have its size before it is drawn as it is. */
const resizeWaitMs = 150;

export interface TerminalsOptions {
  home: Home;
  config: Config;
  entries: Entries;
  state: FleetState;
  signals: SignalRouter;
  version: string;
  env: Readonly<Record<string, string>>;
  report(input: Input): void;
  drive(session: string, device: string | null, from: string | null, take: boolean): Promise<boolean>;
  /** A later daemon has taken the holders over. */
  onFenced(message: string): void;
}

interface LiveProcess {
  session: string;
  incarnation: number;
  channel: number;
  pid: number;
  columns: number;
  rows: number;
  startedFrom: number;
  holder: PooledHolder;
  heard: ScreenSignals;
  /** What its screen says up to here, an earlier daemon has heard. */
  heardTo: number;
  /** What it had printed when it was taken over: no sign of life. */
  printedTo: number;
}

export interface StartRequest {
  session: string;
  incarnation: number;
  plan: LaunchPlan;
  columns: number;
  rows: number;
}

/**
 * The daemon's grip on running processes: which holder has which session, their screens, the terminals attached to them.
 * What happens out there (an exit, a lost holder, a paused child) is reported to the fleet; bytes never are.
 */
export class Terminals implements TerminalPort, AsyncDisposable {
  readonly #ports: { clock: Clock; random: Random; log: Log };
  readonly #options: TerminalsOptions;
  readonly #live = new Map<string, LiveProcess>();
  readonly #ended = new Emitter<string>();
  readonly #driverChanged = new Emitter<string>();
  readonly #heard = new WeakSet<HolderConnection>();
  /** Whether new holders get a scope of their own; found out while the daemon starts. */
  #hasScopes = false;
  readonly #scopesProbed: Promise<void>;
  #holders: HolderPool | null = null;
  #screens: ScreenPool | null = null;
  /** What the holders were taken over with; the journal of a daemon that only reads knows an older one. */
  #epoch = 0;

  constructor(ports: { clock: Clock; random: Random; log: Log }, options: TerminalsOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#scopesProbed = canUseSystemdScope(options.env).then((can) => {
      this.#hasScopes = can;
    });
  }

  /**
   * Finds every living holder, takes them over with an epoch above all seen, and lists what they have; ends that only a
   * log tells of are found too.
   */
  async findHolders(epochWanted: number): Promise<{ epoch: number; channels: FoundChannel[] }> {
    const { home, config, entries, version } = this.#options;
    const epoch = Math.max(epochWanted, highestEpoch(home.registry) + 1);
    this.#epoch = epoch;
    const { pool, found } = await HolderPool.open({
      ...this.#ports,
      registryDir: home.registry,
      runDir: home.run,
      stateDir: home.registry,
      version,
      epoch,
      sessionsMax: config['holder.sessionsMax'],
      program: {
        nodePath: process.execPath,
        entry: fileURLToPath(entries.holder),
        prefix: (holder) => (this.#hasScopes ? systemdScope(holder) : []),
      },
    });
    this.#holders = pool;
    pool.onLost(({ id, pid }) => this.#holderGone(id, pid));
    pool.onSilent(({ id, pid }) => this.#sayHolder(id, pid, false));
    pool.onBack((holder) => this.#holderBack(holder));
    pool.onFenced(({ message }) => this.#options.onFenced(message));
    this.#screens = new ScreenPool(this.#ports, {
      workers: config['screen.workers'],
      entry: entries.screenWorker,
      epoch,
    });
    this.#watchScreens(this.#screens);
    const channels: FoundChannel[] = [];
    for (const holder of found.alive) {
      for (const channel of await this.#takeOver(holder)) {
        const { session, incarnation, pid, exit } = channel;
        if (exit === null) this.#adopt(holder, channel);
        channels.push({ session, incarnation, holder: holder.id, pid, exit: exit === null ? null : exitFacts(exit) });
      }
    }
    return { epoch, channels: [...channels, ...this.#endsInLogs(channels)] };
  }

  /** Gives every living session its screen and says who holds it. */
  watchAll(): void {
    for (const { id, pid, connection } of this.#pool().holders) this.#sayHolder(id, pid, connection !== null);
    for (const process of this.#live.values()) this.#watch(process);
  }

  async start({ session, incarnation, plan, columns, rows }: StartRequest): Promise<Result<ProcessFacts, ErrorCode>> {
    const { home, config } = this.#options;
    await this.#scopesProbed;
    const folder = sessionFolder(home, session);
    const { main } = plan;
    const placed = await this.#pool().start({
      session,
      incarnation,
      name: 'main',
      argv: this.#hasScopes
        ? inScope(main.argv, { session, incarnation, memoryMaxMiB: config['session.memoryMaxMiB'] })
        : main.argv,
      cwd: main.cwd,
      env: main.env,
      io: main.io,
      columns,
      rows,
      logDir: folder.log,
      retainBytes: config['holder.retainMiB'] * mib,
      capBytes: config['holder.capMiB'] * mib,
      oomScoreAdj: agentOomScoreAdj,
    });
    if (!placed.ok) return placed;
    const { holder, connection, channel } = placed.value;
    if (channel.exit?.error !== undefined)
      return refuse(startErrorCodes[channel.exit.error], channel.exit.message ?? 'The program could not be started');
    this.#listen(holder, connection);
    this.#sayHolder(holder.id, holder.pid, true);
    this.#watch(this.#adopt(holder, channel));
    return ok({
      holder: holder.id,
      holderPid: holder.pid,
      channel: channel.channel,
      pid: channel.pid ?? 0,
      conversation: null,
    });
  }

  async signal(session: string, incarnation: number, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const process = this.#processOf(session, incarnation);
    await process?.holder.connection?.signal(process.channel, name, 'group');
  }

  /** False when that process is no longer there to type to. */
  write(session: string, incarnation: number, bytes: Uint8Array): boolean {
    const process = this.#processOf(session, incarnation);
    const connection = process?.holder.connection;
    if (process === undefined || connection == null) return false;
    connection.input(process.channel, bytes);
    return true;
  }

  async forget(session: string): Promise<void> {
    const process = this.#live.get(session);
    this.#end(session);
    await process?.holder.connection?.close(process.channel);
  }

  async text(session: string): Promise<string[] | null> {
    const { checkpoint } = sessionFolder(this.#options.home, session);
    const text = await this.#screens?.text(session, checkpoint);
    return text?.lines ?? null;
  }

  holders(): { id: string; pid: number; sessions: number; version: string; alive: boolean }[] {
    return this.#pool().holders.map(({ id, pid, version, connection }) => ({
      id,
      pid,
      version,
      alive: connection !== null,
      sessions: [...this.#live.values()].filter(({ holder }) => holder.id === id).length,
    }));
  }

  /** The fleet gave the driving seat of a session to someone else. */
  driverChanged(session: string): void {
    this.#driverChanged.fire(session);
  }

  open(session: string, outlet: TerminalOutlet): Result<TerminalSeat, ErrorCode> {
    if (!this.#options.state.sessions.has(session)) return refuse('session/not-found', 'There is no such session');
    const of = (listener: () => void) => (id: string) => (id === session ? listener() : undefined);
    return ok(
      new AttachedTerminal(
        {
          session: () => this.#options.state.sessions.get(session),
          live: () => this.#liveTerminal(session),
          drive: (device, from, take) => this.#options.drive(session, device, from, take),
          onModeChange: (listener) => this.#driverChanged.event(of(listener)),
          onEnd: (listener) => this.#ended.event(of(listener)),
          rest: (from, bytesMax) => this.#rest(session, from, bytesMax),
        },
        outlet,
      ),
    );
  }

  async readLog(
    session: string,
    from: number,
    chunk: (bytes: Uint8Array) => Promise<void>,
  ): ReturnType<TerminalPort['readLog']> {
    // Ids become paths: what is none must not lead out of the folder. A session that only its log remembers may be read.
    if (!SessionId.safeParse(session).success) return refuse('session/not-found', 'There is no such session');
    const folder = sessionFolder(this.#options.home, session).log;
    if (!existsSync(folder)) {
      if (!this.#options.state.sessions.has(session)) return refuse('session/not-found', 'There is no such session');
      return ok({ from, to: from, damaged: false });
    }
    let start: number | null = null;
    let to = from;
    let damaged = false;
    for (const item of readLog(folder, from)) {
      if (item.kind === 'data') {
        start ??= item.offset;
        to = item.offset + item.bytes.length;
        // A copy: the reader reuses its buffer, and a Buffer’s own slice would share it.
        await chunk(new Uint8Array(item.bytes));
      } else if (item.kind === 'gap' && item.cause === 'damage') damaged = true;
    }
    return ok({ from: start ?? from, to, damaged });
  }

  async #rest(session: string, from: number, bytesMax: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const read = await this.readLog(session, from, async (chunk) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
    });
    return read.ok && bytes <= bytesMax ? Buffer.concat(chunks) : new Uint8Array(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#screens?.[Symbol.asyncDispose]();
    this.#holders?.[Symbol.dispose]();
  }

  #pool(): HolderPool {
    if (this.#holders === null) throw new Error('Holders are asked before they were looked for');
    return this.#holders;
  }

  #processOf(session: string, incarnation: number): LiveProcess | undefined {
    const process = this.#live.get(session);
    return process?.incarnation === incarnation ? process : undefined;
  }

  #adopt(holder: PooledHolder, channel: HolderChannel): LiveProcess {
    const { session, incarnation, pid, columns, rows, startedFrom } = channel;
    const known = this.#options.state.sessions.get(session);
    const process = {
      session,
      incarnation,
      channel: channel.channel,
      pid: pid ?? 0,
      columns,
      rows,
      startedFrom,
      holder,
      heard: new ScreenSignals(),
      heardTo: known === undefined ? 0 : heardTo(known),
      printedTo: channel.head,
    };
    this.#live.set(session, process);
    return process;
  }

  /** The main channels a holder has, and news of it from now on. */
  async #takeOver(holder: PooledHolder): Promise<HolderChannel[]> {
    const { connection } = holder;
    if (connection === null) return [];
    this.#listen(holder, connection);
    const { channels } = await connection.list();
    return channels.filter(({ name }) => name === 'main');
  }

  #listen(holder: PooledHolder, connection: HolderConnection): void {
    if (this.#heard.has(connection)) return;
    this.#heard.add(connection);
    connection.onPaused(({ channel, pause }) =>
      this.#paused(holder.id, channel, pause?.reason ?? null, pause?.message ?? ''),
    );
  }

  #watch(process: LiveProcess): void {
    const { state, home, signals } = this.#options;
    const session = state.sessions.get(process.session);
    if (session === undefined) return;
    const folder = sessionFolder(home, process.session);
    signals.track({
      session: process.session,
      incarnation: process.incarnation,
      pid: process.pid,
      cwd: session.worktree?.path ?? '/',
      env: {},
      privateDir: folder.private,
      conversation: session.conversation,
      server: null,
    });
    this.#screens?.watch({
      session: process.session,
      incarnation: process.incarnation,
      holderSocket: process.holder.socketPath,
      channel: process.channel,
      columns: process.columns,
      rows: process.rows,
      startedFrom: process.startedFrom,
      checkpointPath: folder.checkpoint,
    });
  }

  #watchScreens(screens: ScreenPool): void {
    const { signals, report } = this.#options;
    screens.onOutput(({ session, head }) => {
      if (head > (this.#live.get(session)?.printedTo ?? 0)) signals.output(session, head);
    });
    screens.onEvent(({ session, event }) => {
      const process = this.#live.get(session);
      if (process === undefined) return;
      const at = this.#ports.clock.now();
      const { incarnation } = process;
      if (event.type === 'title') report({ type: 'session/title', at, session, incarnation, title: event.title });
      const signal = process.heard.read(event, at);
      if (signal && event.offset > process.heardTo) signals.feed(session, signal, event.offset);
    });
    screens.onExited(({ session, incarnation, exit }) => this.#exited(session, incarnation, exit));
  }

  #exited(session: string, incarnation: number, exit: HolderExit): void {
    if (this.#processOf(session, incarnation) === undefined) return;
    const { state, report } = this.#options;
    report({ type: 'process/exited', at: this.#ports.clock.now(), session, incarnation, exit: exitFacts(exit) });
    const holder = this.#live.get(session)?.holder;
    const channel = this.#live.get(session)?.channel;
    // Its log has all there is; a holder that is gone has forgotten it anyway.
    if (channel !== undefined) holder?.connection?.close(channel).catch(() => {});
    this.#end(session);
    if (!state.sessions.has(session)) this.#screens?.drop(session);
  }

  #end(session: string): void {
    this.#live.delete(session);
    this.#options.signals.drop(session);
    this.#ended.fire(session);
  }

  #holderGone(id: string, pid: number): void {
    this.#sayHolder(id, pid, false);
    for (const process of [...this.#live.values()]) {
      if (process.holder.id !== id) continue;
      const at = this.#ports.clock.now();
      this.#options.report({
        type: 'process/lost',
        at,
        session: process.session,
        incarnation: process.incarnation,
        cause: 'holder-gone',
      });
      this.#end(process.session);
    }
  }

  /** A new connection to a holder that was out of reach. */
  #holderBack(holder: PooledHolder): void {
    if (holder.connection !== null) this.#listen(holder, holder.connection);
    this.#sayHolder(holder.id, holder.pid, true);
  }

  #sayHolder(holder: string, pid: number, alive: boolean): void {
    this.#options.report({ type: 'holder/seen', at: this.#ports.clock.now(), holder, pid, alive });
  }

  #paused(holder: string, channel: number, reason: string | null, message: string): void {
    for (const process of this.#live.values()) {
      if (process.holder.id !== holder || process.channel !== channel) continue;
      this.#options.report({
        type: 'session/terminal-paused',
        incarnation: process.incarnation,
        at: this.#ports.clock.now(),
        session: process.session,
        reason,
        message,
      });
    }
  }

  /** Sessions the fleet believes alive whose holder is gone, but whose log tells how their process ended. */
  #endsInLogs(known: readonly FoundChannel[]): FoundChannel[] {
    const names = new Set(known.map(({ session }) => session));
    const ends: FoundChannel[] = [];
    for (const session of this.#options.state.sessions.values()) {
      if (session.process === null || names.has(session.id)) continue;
      const { exit, context } = summarizeLog(sessionFolder(this.#options.home, session.id).log);
      if (exit === null || context?.incarnation !== session.incarnation) continue;
      ends.push({
        session: session.id,
        incarnation: session.incarnation,
        holder: session.process.holder,
        pid: null,
        exit: exitFacts(exit),
      });
    }
    return ends;
  }

  #liveTerminal(session: string): LiveTerminal | null {
    const process = this.#live.get(session);
    const screens = this.#screens;
    if (process === undefined || screens === null) return null;
    const { holder, channel } = process;
    const { connection, socketPath } = holder;
    if (connection === null) return null;
    return {
      holderSocket: socketPath,
      channel,
      checkpoint: (history) => screens.checkpoint(session, history),
      grant: async (ticket, mode) => expectDone(await connection.grant(channel, ticket, mode)),
      revoke: async (ticket) => expectDone(await connection.revoke(channel, ticket)),
      resize: async (columns, rows) => {
        connection.resize(channel, columns, rows);
        await screens.sized(session, columns, rows, resizeWaitMs);
      },
      write: (bytes) => connection.input(channel, bytes),
      subscribe: (from, credit, listener) => this.#relay(socketPath, channel, from, credit, listener),
    };
  }

  /** A connection of its own for each terminal that takes its bytes through the daemon: credit is per connection. */
  #relay(
    socketPath: string,
    channel: number,
    from: number,
    credit: number,
    listener: (bytes: Uint8Array, head: number) => void,
  ) {
    const { clock, log } = this.#ports;
    const store = new DisposableStore();
    let subscription: ChannelSubscription | null = null;
    Connection.open({ socketPath, role: 'screen', epoch: this.#epoch, clock })
      .then((connection) => {
        store.add(connection);
        subscription = connection.subscribe(
          channel,
          { from, credit, coalesceMs: 0 },
          {
            data: (_offset, bytes, head) => listener(new Uint8Array(bytes), head),
            resized() {},
            gap() {},
            exited() {},
          },
        );
      })
      .catch((error: Error) => log.warn('A terminal cannot be served', { reason: error.message }));
    return {
      credit: (bytes: number) => subscription?.credit(bytes),
      [Symbol.dispose]: () => store[Symbol.dispose](),
    };
  }
}

function exitFacts(exit: HolderExit): ExitFacts {
  return { code: exit.code, signal: exit.signal, error: exit.error ?? null, message: exit.message ?? null };
}

const startErrorCodes = {
  'binary-missing': 'agent/binary-missing',
  'not-executable': 'agent/binary-missing',
  'cwd-missing': 'session/wrong-state',
  'spawn-failed': 'holder/unreachable',
} as const satisfies Record<NonNullable<HolderExit['error']>, ErrorCode>;

function expectDone(reply: { ok: boolean; message?: string }): void {
  if (!reply.ok) throw new Error(reply.message ?? 'The holder refused');
}
