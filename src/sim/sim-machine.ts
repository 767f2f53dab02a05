import type { ExitFacts, WorktreeFacts } from '../fleet/index.ts';
import { SimAgent } from './sim-agent.ts';
import { channelKey, type SimChannel, SimHolder } from './sim-holder.ts';
import type { SimRandom } from './sim-random.ts';
import type { Timeline } from './timeline.ts';
import type { Watch } from './watch.ts';

/** Small, so that histories use several. */
export const holderSessionsMax = 4;

export type StartAnswer =
  /** Started now or before; without an agent if the program could not be. */
  { kind: 'there'; channel: SimChannel } | { kind: 'stale' } | { kind: 'full' } | { kind: 'no-answer' };

/** Everything of the host that outlives a daemon: holders and their agents, logs, worktrees, what boot this is. */
export class SimMachine {
  bootId = 'boot-1';
  /** How often things of the world fail: programs missing, git refusing. 0 to 1. */
  badness = 0;
  /** Sends frames through whatever their epoch is. For a deliberately broken world. */
  ignoresEpochs = false;
  readonly holders = new Map<string, SimHolder>();
  /** Byte logs on disk, by channel: they exist as soon as a process was started, and outlive the holder. */
  readonly #logs = new Map<string, { session: string; incarnation: number; holder: string; exit: ExitFacts | null }>();
  readonly #worktrees = new Set<string>();
  readonly #gitBusyUntil = new Map<string, number>();
  readonly #timeline: Timeline;
  readonly #random: SimRandom;
  readonly #watch: Watch;
  #pids = 100;
  #holderCount = 0;
  #bootCount = 1;

  constructor(ports: { timeline: Timeline; random: SimRandom; watch: Watch }) {
    this.#timeline = ports.timeline;
    this.#random = ports.random;
    this.#watch = ports.watch;
  }

  spawnHolder(): SimHolder {
    const holder = new SimHolder(`h_${++this.#holderCount}`, ++this.#pids);
    this.holders.set(holder.id, holder);
    return holder;
  }

  *liveChannels(): Generator<{ holder: SimHolder; channel: SimChannel }> {
    for (const holder of this.holders.values()) {
      for (const channel of holder.channels.values()) if (channel.agent?.isAlive === true) yield { holder, channel };
    }
  }

  /** Undefined when no holder that lives has it. */
  find(session: string, incarnation: number): { holder: SimHolder; channel: SimChannel } | undefined {
    for (const holder of this.holders.values()) {
      const channel = holder.channel(session, incarnation);
      if (channel !== undefined) return { holder, channel };
    }
    return undefined;
  }

  log(session: string, incarnation: number): { exit: ExitFacts | null } | undefined {
    return this.#logs.get(channelKey(session, incarnation));
  }

  /** Ends that the logs of dead holders tell of. */
  *loggedExits(): Generator<{ session: string; incarnation: number; holder: string; exit: ExitFacts }> {
    for (const { session, incarnation, holder, exit } of this.#logs.values()) {
      if (exit !== null && !this.holders.has(holder)) yield { session, incarnation, holder, exit };
    }
  }

  /** The start frame arrives. A restart of the same incarnation is no start. */
  start(
    holder: SimHolder,
    epoch: number,
    request: { session: string; incarnation: number; prompts: boolean; carriesPrompt: boolean },
  ): StartAnswer {
    const { session, incarnation, prompts, carriesPrompt } = request;
    if (!holder.isAlive) return { kind: 'no-answer' };
    if (!this.#admits(holder, epoch)) return { kind: 'stale' };
    const known = holder.channel(session, incarnation);
    if (known !== undefined) return { kind: 'there', channel: known };
    if (holder.liveCount() >= holderSessionsMax) return { kind: 'full' };

    const key = channelKey(session, incarnation);
    const log = { session, incarnation, holder: holder.id, exit: null as ExitFacts | null };
    this.#logs.set(key, log);
    const channel: SimChannel = {
      session,
      incarnation,
      channel: holder.channels.size + 1,
      agent: null,
      pid: ++this.#pids,
      head: 0,
      exit: null,
      paused: null,
      utterances: [],
    };
    holder.channels.set(key, channel);
    if (this.#random.chance(this.badness * 0.2)) {
      const exit = { code: null, signal: null, error: 'agent/binary-missing', message: 'The program is missing' };
      channel.exit = exit;
      log.exit = exit;
      return { kind: 'there', channel };
    }
    this.#watch.spawned(session, incarnation);
    channel.agent = new SimAgent({
      timeline: this.#timeline,
      random: this.#random,
      prompts,
      carriesPrompt,
      badness: this.badness,
      onUtterance: (utterance) => holder.hear(channel, utterance),
      onOutput: () => {
        channel.head += 1_000;
        holder.tell({ type: 'printed', session, incarnation, head: channel.head });
      },
      onExit: (exit) => {
        this.#watch.ended(session);
        channel.exit = exit;
        log.exit = exit;
        holder.tell({ type: 'exited', session, incarnation, exit });
      },
    });
    return { kind: 'there', channel };
  }

  /** A frame for one channel arrives; null when it was refused or there is nobody to take it. */
  frame(holder: SimHolder, epoch: number, session: string, incarnation: number): SimChannel | null {
    if (!holder.isAlive || !this.#admits(holder, epoch)) return null;
    return holder.channel(session, incarnation) ?? null;
  }

  /** The daemon says hello: from now on nothing of an older one is obeyed. */
  greet(holder: SimHolder, epoch: number): boolean {
    return holder.isAlive && this.#admits(holder, epoch);
  }

  /** Everything this session ever had is dropped; logs go to the trash. */
  forget(session: string, epoch: number): void {
    for (const holder of this.holders.values()) {
      if (!this.#admits(holder, epoch)) continue;
      for (const [key, channel] of holder.channels) {
        if (channel.session === session && channel.agent?.isAlive !== true) holder.channels.delete(key);
      }
    }
    for (const [key, log] of this.#logs) if (log.session === session) this.#logs.delete(key);
  }

  /** Holders hold up what prints while its log cannot be written; null lets it go on. */
  pauseTerminals(reason: string | null): void {
    for (const { holder, channel } of this.liveChannels()) {
      const { session, incarnation } = channel;
      if (channel.paused === reason) continue;
      channel.paused = reason;
      holder.tell({ type: 'paused', session, incarnation, reason });
    }
  }

  killHolder(holder: SimHolder): void {
    holder.isAlive = false;
    this.holders.delete(holder.id);
    for (const { agent, session } of holder.channels.values()) {
      if (agent?.isAlive !== true) continue;
      agent.vanish();
      this.#watch.ended(session);
    }
    for (const link of holder.links) if (link.isOpen()) link.receive({ type: 'gone', holder: holder.id });
  }

  reboot(): void {
    this.#watch.rebooted();
    this.bootId = `boot-${++this.#bootCount}`;
    for (const holder of [...this.holders.values()]) this.killHolder(holder);
    this.#gitBusyUntil.clear();
  }

  /** Null when git fails. Making one that is there finds it. If `asker` dies git may die with it, half-way; nobody is told then. */
  createWorktree(session: string, asker: { isAlive: boolean }, done: (made: WorktreeFacts | null) => void): void {
    this.#git(session, 'git makes a worktree', asker, () => {
      const fails = !this.#worktrees.has(session) && this.#random.chance(this.badness * 0.3);
      if (!fails) this.#worktrees.add(session);
      const made = { path: `/w/${session}`, branch: `concert/${session}`, baseCommit: 'c0', isOwned: true, notes: [] };
      if (asker.isAlive) done(fails ? null : made);
    });
  }

  /** Null when it is gone, else why it was kept. */
  removeWorktree(
    session: string,
    force: boolean,
    asker: { isAlive: boolean },
    done: (keptBecause: string | null) => void,
  ): void {
    this.#git(session, 'git removes a worktree', asker, () => {
      const isKept = !force && this.#worktrees.has(session) && this.#random.chance(0.4);
      if (!isKept) {
        this.#worktrees.delete(session);
        this.#watch.worktreeRemoved(session);
      }
      if (asker.isAlive) done(isKept ? 'It has unmerged work' : null);
    });
  }

  /** One git at a time per session, whoever started it. */
  #git(session: string, what: string, asker: { isAlive: boolean }, run: () => void): void {
    const now = this.#timeline.monotonic();
    const takesMs = this.#random.int(20, this.#random.chance(0.1) ? 8_000 : 600);
    const doneAt = Math.max(now, this.#gitBusyUntil.get(session) ?? 0) + takesMs;
    this.#gitBusyUntil.set(session, doneAt);
    this.#timeline.schedule(doneAt - now, what, () => {
      if (asker.isAlive || this.#random.chance(0.5)) run();
    });
  }

  #admits(holder: SimHolder, epoch: number): boolean {
    const highest = Math.max(holder.epochSeen, epoch);
    const isAdmitted = holder.admits(epoch) || this.ignoresEpochs;
    this.#watch.frame(epoch, highest, isAdmitted);
    return isAdmitted;
  }
}
