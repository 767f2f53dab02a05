import { existsSync } from 'node:fs';
import { type Clock, Emitter, type Log, ok, type Random, type Result, refuse } from '../base/index.ts';
import type { LaunchPlan } from '../agents/index.ts';
import type { ExitFacts, FleetState, FoundChannel, Input, ProcessFacts } from '../fleet/index.ts';
import type { Config, ErrorCode, HolderChannel, HolderExit, Home } from '../protocol/index.ts';
import type { TerminalOutlet, TerminalPort, TerminalSeat } from '../server/index.ts';
import { errorCodeOfRefusal, type Holder, HolderPool, lastExit, readLog, ScreenPool } from '../terminal/index.ts';
import type { Entries } from './entries.ts';
import { sessionFolder } from './home.ts';
import type { SignalRouter } from './signal-router.ts';
import { signalOf } from './screen-signals.ts';
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
  report(input: Input): void;
  drive(session: string, device: string | null, from: string | null, take: boolean): Promise<boolean>;
}

interface LiveProcess {
  session: string;
  incarnation: number;
  channel: number;
  pid: number;
  holder: Holder;
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
  #holders: HolderPool | null = null;
  #screens: ScreenPool | null = null;

  constructor(ports: { clock: Clock; random: Random; log: Log }, options: TerminalsOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /**
   * Finds every living holder, takes them over with an epoch above all seen, and lists what they have; ends that only a
   * log tells of are found too.
   */
  async findHolders(epochWanted: number): Promise<{ epoch: number; channels: FoundChannel[] }> {
    const { home, config, entries, version } = this.#options;
    const found = await HolderPool.open(this.#ports, {
      registryDir: home.registry,
      runDir: home.run,
      stateDir: home.registry,
      nodePath: process.execPath,
      entry: entries.holder,
      version,
      sessionsMax: config['holder.sessionsMax'],
      memoryMaxMiB: config['session.memoryMaxMiB'],
      epoch: epochWanted,
    });
    this.#holders = found.pool;
    found.pool.onGone((holder) => this.#holderGone(holder));
    found.pool.onPaused(({ holder, channel, pause }) => this.#paused(holder, channel, pause?.reason ?? null, pause?.message ?? ''));
    this.#screens = new ScreenPool(this.#ports, { workers: config['screen.workers'], entry: entries.screenWorker, epoch: found.epoch });
    this.#watchScreens(this.#screens);
    const channels: FoundChannel[] = [];
    for (const { holder, channel } of found.channels) {
      if (channel.name !== 'main') continue;
      if (channel.pid !== null) this.#adopt(holder, channel, channel.pid);
      channels.push({
        session: channel.session,
        incarnation: channel.incarnation,
        holder: holder.id,
        pid: channel.pid,
        exit: channel.exit === null ? null : exitFacts(channel.exit),
      });
    }
    return { epoch: found.epoch, channels: [...channels, ...this.#endsInLogs(channels)] };
  }

  /** Gives every living session its screen and says who holds it. */
  watchAll(): void {
    for (const holder of this.#pool().living()) this.#sayHolder(holder, true);
    for (const process of this.#live.values()) this.#watch(process);
  }

  async start({ session, incarnation, plan, columns, rows }: StartRequest): Promise<Result<ProcessFacts, ErrorCode>> {
    const { home, config } = this.#options;
    const placed = await this.#pool().place(session);
    if (!placed.ok) return placed;
    const holder = placed.value;
    const folder = sessionFolder(home, session);
    const { main } = plan;
    const started = await holder.connection.start({
      session,
      incarnation,
      name: 'main',
      argv: main.argv,
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
    const channel = started.ok ? started.value : started.code === 'duplicate' ? started.channel : undefined;
    if (channel === undefined) return started.ok ? refuse('holder/unreachable', 'The holder gave no channel') : refuse(errorCodeOfRefusal[started.code], started.message);
    if (channel.exit !== null || channel.pid === null) return refusalOfExit(channel.exit);
    const process = this.#adopt(holder, channel, channel.pid);
    this.#sayHolder(holder, true);
    this.#watch(process);
    return ok({ holder: holder.id, holderPid: holder.pid, channel: channel.channel, pid: channel.pid, conversation: null });
  }

  async signal(session: string, incarnation: number, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const process = this.#processOf(session, incarnation);
    await process?.holder.connection.signal(process.channel, name, 'group');
  }

  /** False when that process is no longer there to type to. */
  write(session: string, incarnation: number, bytes: Uint8Array): boolean {
    const process = this.#processOf(session, incarnation);
    if (process === undefined || process.holder.connection.isClosed) return false;
    process.holder.connection.input(process.channel, bytes);
    return true;
  }

  async forget(session: string): Promise<void> {
    const process = this.#live.get(session);
    this.#end(session);
    await process?.holder.connection.close(process.channel);
  }

  async text(session: string): Promise<string[] | null> {
    const text = await this.#screens?.text(session);
    return text?.lines ?? null;
  }

  holders(): { id: string; pid: number; sessions: number; protocol: number; alive: boolean }[] {
    return this.#pool()
      .living()
      .map((holder) => ({
        id: holder.id,
        pid: holder.pid,
        protocol: holder.protocol,
        alive: !holder.connection.isClosed,
        sessions: [...this.#live.values()].filter((process) => process.holder === holder).length,
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
        },
        outlet,
      ),
    );
  }

  async readLog(session: string, from: number, chunk: (bytes: Uint8Array) => Promise<void>): ReturnType<TerminalPort['readLog']> {
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
        await chunk(item.bytes.slice());
      } else if (item.kind === 'gap' && item.cause === 'damage') damaged = true;
    }
    return ok({ from: start ?? from, to, damaged });
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

  #adopt(holder: Holder, channel: HolderChannel, pid: number): LiveProcess {
    const process = { session: channel.session, incarnation: channel.incarnation, channel: channel.channel, pid, holder };
    this.#live.set(channel.session, process);
    return process;
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
      holderSocket: process.holder.socket,
      channel: process.channel,
      checkpointPath: folder.checkpoint,
    });
  }

  #watchScreens(screens: ScreenPool): void {
    const { signals, report } = this.#options;
    screens.onOutput(({ session, head }) => signals.output(session, head));
    screens.onEvent(({ session, event }) => {
      const at = this.#ports.clock.now();
      if (event.type === 'title') report({ type: 'session/title', at, session, title: event.title });
      const signal = signalOf(event, at);
      if (signal !== null) signals.feed(session, signal);
    });
    screens.onExited(({ session, incarnation, exit }) => this.#exited(session, incarnation, exit));
  }

  #exited(session: string, incarnation: number, exit: HolderExit): void {
    if (this.#processOf(session, incarnation) === undefined) return;
    const { state, report } = this.#options;
    report({ type: 'process/exited', at: this.#ports.clock.now(), session, incarnation, exit: exitFacts(exit) });
    const holder = this.#live.get(session)?.holder;
    const channel = this.#live.get(session)?.channel;
    if (holder !== undefined && channel !== undefined) holder.connection.close(channel).catch(() => {});
    this.#end(session);
    if (!state.sessions.has(session)) this.#screens?.drop(session);
  }

  #end(session: string): void {
    this.#live.delete(session);
    this.#options.signals.drop(session);
    this.#ended.fire(session);
  }

  #holderGone(holder: Holder): void {
    this.#sayHolder(holder, false);
    for (const process of [...this.#live.values()]) {
      if (process.holder !== holder) continue;
      const at = this.#ports.clock.now();
      this.#options.report({ type: 'process/lost', at, session: process.session, incarnation: process.incarnation, cause: 'holder-gone' });
      this.#end(process.session);
    }
  }

  #sayHolder(holder: Holder, alive: boolean): void {
    this.#options.report({ type: 'holder/seen', at: this.#ports.clock.now(), holder: holder.id, pid: holder.pid, alive });
  }

  #paused(holder: Holder, channel: number, reason: string | null, message: string): void {
    for (const process of this.#live.values()) {
      if (process.holder !== holder || process.channel !== channel) continue;
      this.#options.report({ type: 'session/terminal-paused', at: this.#ports.clock.now(), session: process.session, reason, message });
    }
  }

  /** Sessions the fleet believes alive whose holder is gone, but whose log tells how their process ended. */
  #endsInLogs(known: readonly FoundChannel[]): FoundChannel[] {
    const names = new Set(known.map(({ session }) => session));
    const ends: FoundChannel[] = [];
    for (const session of this.#options.state.sessions.values()) {
      if (session.process === null || names.has(session.id)) continue;
      const exit = lastExit(sessionFolder(this.#options.home, session.id).log, session.incarnation);
      if (exit !== null) ends.push({ session: session.id, incarnation: session.incarnation, holder: session.process.holder, pid: null, exit: exitFacts(exit) });
    }
    return ends;
  }

  #liveTerminal(session: string): LiveTerminal | null {
    const process = this.#live.get(session);
    const screens = this.#screens;
    if (process === undefined || screens === null) return null;
    const { holder, channel } = process;
    const { connection } = holder;
    return {
      holderSocket: holder.socket,
      channel,
      checkpoint: (history) => screens.checkpoint(session, history),
      grant: async (ticket, mode) => void expectDone(await connection.grant(channel, ticket, mode)),
      revoke: async (ticket) => void expectDone(await connection.revoke(channel, ticket)),
      resize: async (columns, rows) => {
        connection.resize(channel, columns, rows);
        await screens.sized(session, columns, rows, resizeWaitMs);
      },
      write: (bytes) => connection.input(channel, bytes),
      subscribe: (from, credit, listener) => holder.relay(channel, { from, credit, coalesceMs: 0 }, listener),
    };
  }
}

function exitFacts(exit: HolderExit): ExitFacts {
  return { code: exit.code, signal: exit.signal, error: exit.error ?? null, message: exit.message ?? null };
}

function refusalOfExit(exit: HolderExit | null): Result<never, ErrorCode> {
  const message = exit?.message ?? 'The program ended as it was started';
  if (exit?.error === 'binary-missing' || exit?.error === 'not-executable') return refuse('agent/binary-missing', message);
  return refuse('session/not-live', message);
}

function expectDone(reply: { ok: boolean; message?: string }): void {
  if (!reply.ok) throw new Error(reply.message ?? 'The holder refused');
}
