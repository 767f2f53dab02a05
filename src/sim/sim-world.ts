import { queuedTasks } from '../fleet/index.ts';
import type { Bend } from './bend.ts';
import { drawFaults, type FaultKind, type FaultName, type FaultPlan, faultKinds } from './faults.ts';
import { History } from './history.ts';
import { People } from './people.ts';
import { SimDaemon, simHost } from './sim-daemon.ts';
import { SimDisk } from './sim-disk.ts';
import { SimMachine } from './sim-machine.ts';
import { SimRandom } from './sim-random.ts';
import { Timeline } from './timeline.ts';
import { Watch } from './watch.ts';

const wallStart = Date.UTC(2026, 10, 23, 8);
/** A home whose daemon dies this often within this time is only read at its next start. */
const crashesMax = 3;
const crashWindowMs = 60_000;

export interface WorldOptions {
  seed: number;
  /** Faults left out, to find which of them a failure needs. */
  without: ReadonlySet<FaultName>;
  bend: Bend;
}

/** A host with one person's fleet, and all that can go wrong with it, from one seed. */
export class SimWorld {
  readonly timeline = new Timeline(wallStart);
  readonly history = new History();
  readonly watch = new Watch(simHost);
  readonly disk: SimDisk;
  readonly machine: SimMachine;
  readonly faults: FaultPlan;
  /** Faults that happened, by kind. */
  readonly happened: Partial<Record<string, number>> = {};
  #daemon: SimDaemon | null = null;
  readonly #rivals = new Set<SimDaemon>();
  readonly #people: People;
  readonly #random: SimRandom;
  /** Chance of its own for each kind, so that leaving one out changes the others as little as can be. */
  readonly #fate = new Map<FaultKind, SimRandom>();
  readonly #bend: Bend;
  readonly #slots: number;
  #slotsNow: number;
  readonly #paceMs: number;
  #isCalm = false;
  #stormLeft = 0;
  #pids = 1;
  #crashedAt: number[] = [];
  crashes = 0;

  constructor({ seed, without, bend }: WorldOptions) {
    const random = new SimRandom(seed, 'world');
    this.#random = random;
    this.#bend = bend;
    this.faults = drawFaults(random.stream('faults'), without);
    for (const kind of faultKinds) this.#fate.set(kind, random.stream(`fault ${kind}`));
    const fate = random.stream('crash after commit');
    this.disk = new SimDisk({
      timeline: this.timeline,
      random: random.stream('disk'),
      onCommit: (rows, texts) => {
        for (const text of texts) this.history.add(text);
        this.watch.committed(rows);
        if (fate.chance(this.faults.crashAfterCommit)) this.#crash('between commit and effect');
      },
      onSnapshot: (seq, state) => this.watch.snapshotted(seq, state),
    });
    this.machine = new SimMachine({ timeline: this.timeline, random: random.stream('machine'), watch: this.watch });
    bend.machine?.(this.machine);
    this.#people = new People({ random: random.stream('people'), machine: this.machine });
    this.#slots = random.int(1, 6);
    this.#slotsNow = this.#slots;
    this.#paceMs = random.pick([120, 400, 400, 1_500]);
  }

  begin(): void {
    this.history.add(JSON.stringify({ faults: this.faults, slots: this.#slots, pace: this.#paceMs }));
    this.disk.lostAnswerChance = this.faults.lostAnswer;
    this.machine.badness = this.faults.badness;
    this.#startDaemon();
    this.#letPeopleAct();
    for (const kind of faultKinds) this.#expectFault(kind);
    this.#letSnapshotsBeSaved();
  }

  /** From now on nothing goes wrong, and people only tidy up. */
  calm(): void {
    this.#isCalm = true;
    this.history.add('calm');
    this.disk.isFull = false;
    this.machine.pauseTerminals(null);
    this.disk.latencyMaxMs = 4;
    this.disk.lostAnswerChance = 0;
    this.faults.crashAfterCommit = 0;
    this.machine.badness = 0;
    for (const rival of [...this.#rivals]) rival.end('killed');
    this.timeline.schedule(20_000, 'people tidy up', () => {
      if (this.#daemon !== null) this.#people.tidyUp(this.#daemon);
    });
  }

  check(): void {
    this.#daemon?.check();
  }

  compare(): void {
    this.#daemon?.compare();
  }

  /** Everything has come to rest. */
  checkEnd(): void {
    const daemon = this.#daemon;
    const { watch } = this;
    if (daemon === null || !daemon.isRecovered) return watch.fail('quiet', 'No daemon is at work in the end');
    daemon.check();
    daemon.compare();
    const { state } = daemon;
    watch.expect(
      daemon.loop.isSettled && daemon.effects.underWay === 0,
      'quiet',
      () => `${daemon.effects.underWay} things are under way`,
    );
    watch.expectTasks(state);
    watch.expectProgress(state);
    watch.expectReplays(this.disk.texts, simHost);
    for (const session of state.sessions.values()) {
      const { id, incarnation, process, launching, stopping, removing } = session;
      const isResting = launching === null && stopping === null && removing === null && session.state !== 'starting';
      watch.expect(isResting, 'quiet', () => `Left half done: ${JSON.stringify({ ...session, evidenceLog: [] })}`);
      const isLive = watch.live.get(id) === incarnation;
      watch.expect(
        session.terminalPaused === null,
        'truth',
        () => `${id} is shown as held up: ${session.terminalPaused?.message}`,
      );
      watch.expect(isLive === (process !== null), 'known-process', () => `${id} is ${session.state}, live: ${isLive}`);
    }
    const wanted = queuedTasks(state).length + state.sessions.size;
    watch.expect(
      state.tasks.size === wanted,
      'forgotten',
      () => `${state.tasks.size} tasks are kept, ${wanted} wanted`,
    );
    for (const { channel } of this.machine.liveChannels()) this.#expectTruth(channel.session);
    for (const holder of this.machine.holders.values()) {
      for (const { session } of holder.channels.values()) {
        watch.expect(
          state.sessions.has(session),
          'forgotten',
          () => `${holder.id} keeps ${session}, which was removed`,
        );
      }
    }
  }

  #expectTruth(id: string): void {
    const session = this.#daemon?.state.sessions.get(id);
    const agent = session && this.machine.find(id, session.incarnation)?.channel.agent;
    if (!session || !agent?.isReliable || agent.state === 'starting') return;
    const { source, state: underlying } = session.evidence;
    const isTrue =
      session.state === agent.state ||
      (session.held && session.state === 'paused' && underlying === agent.state) ||
      source === 'person' ||
      (session.state === 'ready' && this.watch.isSettled(id)) ||
      session.state === 'unknown';
    this.watch.expect(isTrue, 'truth', () => `${id} is ${agent.state} and shown as ${session.state} by ${source}`);
  }

  #startDaemon(): void {
    const isReadOnly =
      this.#crashedAt.filter((at) => this.timeline.monotonic() - at < crashWindowMs).length >= crashesMax;
    if (isReadOnly && !this.#isCalm) {
      this.#count('read-only start');
      this.#crashedAt = [];
      this.timeline.schedule(this.#random.int(1_000, 20_000), 'a person starts the daemon again', () =>
        this.#startDaemon(),
      );
      return;
    }
    if (this.#random.chance(0.2)) this.#slotsNow = Math.max(1, this.#slots + this.#random.int(-2, 1));
    const daemon: SimDaemon = new SimDaemon(
      {
        timeline: this.timeline,
        random: this.#random.stream(`daemon ${this.#pids}`),
        disk: this.disk,
        machine: this.machine,
        watch: this.watch,
        history: this.history,
        bend: this.#bend,
      },
      { slots: this.#slotsNow, pid: this.#pids++, onEnd: (how) => this.#onEnd(daemon, how) },
    );
    this.#daemon = daemon;
    this.history.add(`daemon ${daemon.epoch} starts`);
    daemon.start();
  }

  #onEnd(daemon: SimDaemon, how: string): void {
    this.history.add(`daemon ${daemon.epoch} ends: ${how}`);
    if (this.#rivals.delete(daemon) || this.#daemon !== daemon) return;
    this.#daemon = null;
    const restartMs = this.#random.int(10, this.#random.chance(0.2) ? 5_000 : 400);
    this.timeline.schedule(restartMs, 'the daemon is started', () => this.#startDaemon());
    if (this.#stormLeft > 0) {
      this.#stormLeft--;
      this.timeline.schedule(restartMs + this.#random.int(0, 150), 'the storm goes on', () => this.#crash('storm'));
    }
  }

  #crash(why: string): void {
    if (this.#daemon === null || this.#isCalm) return;
    this.crashes++;
    this.#count(`crash: ${why}`);
    this.#crashedAt.push(this.timeline.monotonic());
    this.#daemon.end(why);
  }

  #letPeopleAct(): void {
    this.timeline.schedule(this.#random.exponential(this.#paceMs), 'people act', () => {
      if (this.#isCalm) return;
      const rival = this.#random.chance(0.3) ? [...this.#rivals][0] : undefined;
      const daemon = rival ?? this.#daemon;
      if (daemon !== null) this.history.add(this.#people.act(daemon));
      this.#letPeopleAct();
    });
  }

  #letSnapshotsBeSaved(): void {
    this.timeline.schedule(this.#random.exponential(15_000), 'a snapshot is due', () => {
      if (this.#isCalm) return;
      this.#daemon?.saveSnapshot();
      this.#letSnapshotsBeSaved();
    });
  }

  #expectFault(kind: FaultKind): void {
    const mean = this.faults.meanMs[kind];
    const fate = this.#fate.get(kind);
    if (mean === undefined || fate === undefined) return;
    this.timeline.schedule(fate.exponential(mean), `fault ${kind}`, () => {
      if (this.#isCalm) return;
      this.#count(kind);
      this.#strike(kind, fate);
      this.#expectFault(kind);
    });
  }

  #strike(kind: FaultKind, random: SimRandom): void {
    const passing = (what: string, ms: number, over: () => void) => this.timeline.schedule(ms, what, over);
    switch (kind) {
      case 'crash':
        return this.#crash('by itself');
      case 'storm':
        this.#stormLeft = 2;
        return this.#crash('storm');
      case 'stop':
        return this.#daemon?.stop();
      case 'rival':
        return this.#startRival(random.int(500, 20_000), random.chance(0.7) ? 100 : 0);
      case 'holderKill': {
        const holders = [...this.machine.holders.values()];
        if (holders.length > 0) this.machine.killHolder(random.pick(holders));
        return;
      }
      case 'agentKill': {
        const live = [...this.machine.liveChannels()];
        const exit = { code: null, signal: 'SIGKILL', error: null, message: null };
        if (live.length > 0) random.pick(live).channel.agent?.end(exit);
        return;
      }
      case 'reboot':
        for (const rival of [...this.#rivals]) rival.end('reboot');
        this.#crash('reboot');
        return this.machine.reboot();
      case 'diskFull':
        this.disk.isFull = true;
        passing('the disk has room again', random.int(100, 20_000), () => {
          this.disk.isFull = false;
        });
        return;
      case 'logFull':
        this.machine.pauseTerminals('disk-full');
        passing('logs have room again', random.int(100, 20_000), () => this.machine.pauseTerminals(null));
        return;
      case 'diskSlow':
        this.disk.latencyMaxMs = random.int(50, 2_000);
        passing('the disk is fast again', random.int(500, 10_000), () => {
          this.disk.latencyMaxMs = 4;
        });
        return;
      case 'sleep':
        return this.timeline.jumpWall(random.int(1_000, 8 * 3_600_000));
      case 'wrongClock': {
        const ms = random.int(-86_400_000, 86_400_000);
        this.timeline.jumpWall(ms);
        passing('the clock is set right', random.int(1_000, 60_000), () => this.timeline.jumpWall(-ms));
        return;
      }
    }
  }

  /** The present daemon lives on without knowing that another takes over; mostly at the worst moment, if that comes soon. */
  #startRival(livesMs: number, patience: number): void {
    const old = this.#daemon;
    if (old === null || this.#isCalm) return;
    if (old.effects.spawning === 0 && patience > 0) {
      this.timeline.schedule(100, 'a rival waits', () => this.#startRival(livesMs, patience - 1));
      return;
    }
    this.#rivals.add(old);
    this.timeline.schedule(livesMs, 'the old daemon is killed', () => old.end('killed'));
    this.#startDaemon();
  }

  #count(kind: string): void {
    this.happened[kind] = (this.happened[kind] ?? 0) + 1;
    this.history.add(`fault ${kind}`);
  }
}
