import { readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  backoffMs,
  type Clock,
  Emitter,
  type Event,
  type Log,
  ok,
  type Random,
  type Result,
  refuse,
} from '../base/index.ts';
import type { ErrorCode, HolderChannel, HolderRefused, HolderStart } from '../protocol/index.ts';
import { type HolderConfig, holderDefaults } from './holder/holder-config.ts';
import { errorCodeOfRefusal, HolderConnection, HolderError, type HolderReply } from './holder-connection.ts';
import {
  type HolderRegistration,
  type RegisteredChild,
  readRegistrations,
  removeRegistration,
} from './holder-registry.ts';
import { isRunning } from './process-identity.ts';
import { type ReapedChild, reapOrphans } from './reap-orphans.ts';
import { checkSocketPath } from './socket-path.ts';
import { type HolderProgram, startHolder } from './start-holder.ts';

export interface HolderPoolOptions {
  registryDir: string;
  /** For the sockets: short, private, 0700. */
  runDir: string;
  /** Each holder keeps its epoch and its log in a folder of its own below. */
  stateDir: string;
  /** Ours: holders of another version are only drained. */
  version: string;
  epoch: number;
  sessionsMax: number;
  program: HolderProgram;
  clock: Clock;
  random: Random;
  log: Log;
  /** For tests: other limits of new holders. */
  limits?: Partial<Pick<HolderConfig, 'idleMs' | 'segmentBytes' | 'tickMs'>>;
}

export interface PooledHolder {
  readonly id: string;
  readonly pid: number;
  readonly version: string;
  readonly socketPath: string;
  /** Of another version: its sessions go on, new ones start elsewhere. */
  readonly isDraining: boolean;
  /** Null while it is silent: alive, but not to be reached. */
  readonly connection: HolderConnection | null;
}

export interface LostHolder {
  id: string;
  pid: number;
  version: string;
  /** Whose processes died with it, as far as it had registered them. */
  children: readonly RegisteredChild[];
  /** What became of those that lived on. */
  reaped: Promise<readonly ReapedChild[]>;
}

/** What `open` found, for the daemon to say honestly. */
export interface FoundHolders {
  alive: readonly PooledHolder[];
  lost: readonly LostHolder[];
  /** Living processes that did not answer; they are tried again and come up as `onBack`. */
  silent: readonly PooledHolder[];
  /** Stale files that were removed: sockets nobody listens on, registrations that are none. */
  removed: readonly string[];
}

export interface PlacedChannel {
  holder: PooledHolder;
  connection: HolderConnection;
  channel: HolderChannel;
}

/** A new holder is up in about 100 ms; a loaded machine may need much longer. */
const startMs = 10_000;
const startLookMs = 10;
/** So long a living holder may be out of reach before that is told. */
const silentMs = 2000;
const reconnectBackoff = { firstMs: 25, maxMs: 1000 };

/**
 * All holders of one home, as the daemon knows them: finds the living ones, starts new ones, spreads sessions over them
 * and tells when one is gone. Closing the pool lets go of the holders; they live on.
 */
export class HolderPool implements Disposable {
  readonly #options: HolderPoolOptions;
  readonly #holders = new Map<string, Member>();
  readonly #lost = new Emitter<LostHolder>();
  readonly #silent = new Emitter<PooledHolder>();
  readonly #back = new Emitter<PooledHolder>();
  readonly #fenced = new Emitter<HolderRefused>();
  /** Starts go one after the other, so that two of them never take the same last place. */
  #turn: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  /** Connects to every living holder of the home. Throws only what the file system throws. */
  static async open(options: HolderPoolOptions): Promise<{ pool: HolderPool; found: FoundHolders }> {
    const pool = new HolderPool(options);
    return { pool, found: await pool.#find() };
  }

  private constructor(options: HolderPoolOptions) {
    this.#options = options;
  }

  get holders(): readonly PooledHolder[] {
    return [...this.#holders.values()];
  }

  /** Its process is gone and its sessions with it; told within a moment of the end of its connection. */
  get onLost(): Event<LostHolder> {
    return this.#lost.event;
  }

  /** It lives but could not be reached for 2 s. */
  get onSilent(): Event<PooledHolder> {
    return this.#silent.event;
  }

  /** Connected again, silent or not in between: subscriptions have to be made anew on the new connection. */
  get onBack(): Event<PooledHolder> {
    return this.#back.event;
  }

  /** Another daemon with a higher epoch took over; this one has nothing more to say. */
  get onFenced(): Event<HolderRefused> {
    return this.#fenced.event;
  }

  /** Starts a child: beside its session's others, else where there is room, else in a new holder. */
  start(start: Omit<HolderStart, 'requestId'>): Promise<Result<PlacedChannel, ErrorCode>> {
    const started = this.#turn.then(() => this.#place(start));
    this.#turn = started.catch(() => {});
    return started;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const member of this.#holders.values()) member.connection?.[Symbol.dispose]();
    this.#holders.clear();
    for (const emitter of [this.#lost, this.#silent, this.#back, this.#fenced]) emitter[Symbol.dispose]();
  }

  async #find(): Promise<FoundHolders> {
    const { registryDir } = this.#options;
    const { registrations, unreadable } = readRegistrations(registryDir);
    const removed = [...unreadable];
    for (const path of unreadable) rmSync(path, { force: true });
    const lost = registrations.filter((registration) => !isRunning(registration)).map((gone) => this.#bury(gone));
    const members = registrations.filter((registration) => isRunning(registration)).map((seen) => this.#admit(seen));
    await Promise.all(members.map((member) => this.#join(member)));
    removed.push(...(await this.#removeDeadSockets()));
    const known = [...this.#holders.values()];
    return {
      alive: known.filter((member) => member.connection !== null),
      lost,
      silent: known.filter((member) => member.connection === null),
      removed,
    };
  }

  async #place(start: Omit<HolderStart, 'requestId'>): Promise<Result<PlacedChannel, ErrorCode>> {
    for (const member of await this.#candidates(start.session)) {
      const placed = await this.#startOn(member, start);
      if (placed.ok || placed.code !== 'holder/full') return placed;
    }
    const member = await this.#startHolder();
    return member.ok ? await this.#startOn(member.value, start) : member;
  }

  async #startOn(member: Member, start: Omit<HolderStart, 'requestId'>): Promise<Result<PlacedChannel, ErrorCode>> {
    const { connection } = member;
    if (connection === null) return refuse('holder/unreachable', `Holder ${member.id} does not answer; try again`);
    let reply: HolderReply<HolderChannel>;
    try {
      reply = await connection.start(start);
    } catch (error) {
      if (!(error instanceof HolderError)) throw error;
      return refuse('holder/unreachable', `Cannot start session ${start.session}: ${error.message}`);
    }
    if (reply.ok) return ok({ holder: member, connection, channel: reply.value });
    // A repeated request, as after a crash between the start and its note in the journal: what runs is what was asked for.
    const existing = reply.code === 'duplicate' ? reply.channel : undefined;
    if (existing !== undefined && existing.incarnation === start.incarnation) {
      return ok({ holder: member, connection, channel: existing });
    }
    return refuse(errorCodeOfRefusal[reply.code], reply.message);
  }

  /** The session's own holder, else those with room, fullest first. Silent ones are not asked. */
  async #candidates(session: string): Promise<Member[]> {
    const seen = await Promise.all([...this.#holders.values()].map((member) => lookInto(member)));
    const answered = seen.filter((look) => look !== null);
    const own = answered.find(({ channels }) =>
      channels.some((channel) => channel.session === session && !channel.exit),
    );
    if (own !== undefined) return [own.member];
    return answered
      .filter(({ member, sessions, sessionsMax }) => !member.isDraining && sessions < sessionsMax)
      .sort((a, b) => b.sessions - a.sessions)
      .map(({ member }) => member);
  }

  async #startHolder(): Promise<Result<Member, ErrorCode>> {
    const { random, runDir, stateDir, registryDir, version, sessionsMax, program, clock, limits } = this.#options;
    const holder = `h_${random.id(8)}`;
    const checked = checkSocketPath(join(runDir, `${holder}.sock`));
    if (!checked.ok) return checked;
    const socket = checked.value;
    const config = { ...holderDefaults, ...limits, holder, version, socket, registryDir, sessionsMax };
    const until = clock.monotonic() + startMs;
    let failure: HolderError | null = null;
    try {
      const started = startHolder(program, { ...config, stateDir: join(stateDir, holder) });
      void started.exited.then((error) => {
        failure = error;
      });
    } catch (error) {
      return refuse('holder/unreachable', `Cannot start a holder: ${(error as Error).message}; running sessions go on`);
    }
    while (failure === null && clock.monotonic() < until) {
      const found = readRegistrations(registryDir).registrations.find((registration) => registration.holder === holder);
      if (found !== undefined) {
        const member = this.#admit(found);
        await this.#join(member);
        if (member.connection !== null) return ok(member);
      }
      await pause(clock, startLookMs);
    }
    const reason = (failure as HolderError | null)?.message ?? `A new holder did not answer within ${startMs} ms`;
    return refuse('holder/unreachable', reason);
  }

  #admit(registration: HolderRegistration): Member {
    const known = this.#holders.get(registration.holder);
    if (known !== undefined) return known;
    const { holder: id, pid, startTime, version, socket: socketPath } = registration;
    const isDraining = version !== this.#options.version;
    const member: Member = { id, pid, startTime, version, socketPath, isDraining, connection: null };
    this.#holders.set(id, member);
    return member;
  }

  /** Connects; when that fails, goes on trying in the background until the holder answers or is gone. */
  async #join(member: Member): Promise<void> {
    try {
      await this.#connect(member);
    } catch (error) {
      if (!(error instanceof HolderError)) throw error;
      this.#pursue(member, error);
    }
  }

  async #connect(member: Member): Promise<void> {
    const { clock, epoch } = this.#options;
    const { socketPath } = member;
    const connection = await HolderConnection.open({ socketPath, role: 'daemon', epoch, clock, timeoutMs: silentMs });
    if (this.#isDisposed) return connection[Symbol.dispose]();
    member.connection = connection;
    connection.onClosed((error) => {
      member.connection = null;
      if (!this.#isDisposed) this.#pursue(member, error);
    });
  }

  /** After a broken connection: gone, fenced off, or to be tried again. */
  #pursue(member: Member, error: HolderError): void {
    if (error.refused?.code === 'stale-epoch') return this.#fenced.fire(error.refused);
    const since = this.#options.clock.monotonic();
    let isToldSilent = false;
    const look = async (attempt: number): Promise<void> => {
      if (this.#isDisposed || member.connection !== null) return;
      if (!isRunning(member)) return this.#isGone(member);
      try {
        await this.#connect(member);
        return this.#back.fire(member);
      } catch {
        // Not yet: what matters is whether its process lives, and that is looked at again.
      }
      if (!isToldSilent && this.#options.clock.monotonic() - since >= silentMs) {
        isToldSilent = true;
        this.#silent.fire(member);
      }
      const delay = backoffMs(reconnectBackoff, attempt, this.#options.random.float());
      this.#options.clock.after(delay, () => void look(attempt + 1));
    };
    void look(0);
  }

  #isGone(member: Member): void {
    this.#holders.delete(member.id);
    const { registrations } = readRegistrations(this.#options.registryDir);
    const registration = registrations.find((known) => known.holder === member.id);
    // Without its registration it left in order: nothing ran there any more.
    if (registration !== undefined) this.#lost.fire(this.#bury(registration));
  }

  /** Clears away a dead holder's files and what is left of its children. */
  #bury(registration: HolderRegistration): LostHolder {
    const { holder: id, pid, version, children, socket } = registration;
    removeRegistration(this.#options.registryDir, id);
    rmSync(socket, { force: true });
    this.#options.log.warn('A holder is gone', { holder: id, pid, children: children.length });
    return { id, pid, version, children, reaped: reapOrphans(children, this.#options.clock) };
  }

  async #removeDeadSockets(): Promise<string[]> {
    const known = new Set([...this.#holders.values()].map((member) => member.socketPath));
    const removed: string[] = [];
    for (const name of namesIn(this.#options.runDir)) {
      const path = join(this.#options.runDir, name);
      if (!/^h_[a-z0-9]+\.sock$/.test(name) || known.has(path) || (await isListening(path))) continue;
      rmSync(path, { force: true });
      removed.push(path);
    }
    return removed;
  }
}

interface Member extends PooledHolder {
  startTime: number | null;
  connection: HolderConnection | null;
}

interface Look {
  member: Member;
  channels: readonly HolderChannel[];
  sessions: number;
  sessionsMax: number;
}

async function lookInto(member: Member): Promise<Look | null> {
  if (member.connection === null) return null;
  try {
    const { channels, sessionsMax } = await member.connection.list();
    const living = channels.filter((channel) => channel.exit === null);
    return { member, channels, sessionsMax, sessions: new Set(living.map((channel) => channel.session)).size };
  } catch {
    // It went away or hangs; the end of its connection tells the rest.
    return null;
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Someone accepts connections there, or may: only a plain refusal says that nobody does. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', (error: NodeJS.ErrnoException) => answer(error.code !== 'ECONNREFUSED'));
  });
}
