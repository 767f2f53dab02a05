import { type Clock, silentLog } from '../base/index.ts';
import { EventLoop, Publisher, steadyClock } from '../daemon/index.ts';
import {
  type Effect,
  emptyFleet,
  Fleet,
  type FleetState,
  type FoundChannel,
  type Input,
  type Journal,
  type OpenedJournal,
  readSnapshot,
  stopGraceMs,
  type Turn,
  writeSnapshot,
} from '../fleet/index.ts';
import { Audience } from './audience.ts';
import type { Bend } from './bend.ts';
import type { History } from './history.ts';
import type { SimDisk } from './sim-disk.ts';
import { type EffectsOwner, SimEffects } from './sim-effects.ts';
import { channelKey, type HolderEvent, type HolderLink, type SimHolder } from './sim-holder.ts';
import type { SimMachine } from './sim-machine.ts';
import type { SimRandom } from './sim-random.ts';
import type { Timeline } from './timeline.ts';
import { replay, type Watch } from './watch.ts';

export const simHost = 'sim';
/** A stop takes its grace, twice that for a clock at half speed, and what a slow disk and a slow holder add. */
const stopMsMax = 2 * stopGraceMs + 15_000;

export interface DaemonPorts {
  timeline: Timeline;
  random: SimRandom;
  disk: SimDisk;
  machine: SimMachine;
  watch: Watch;
  history: History;
  bend: Bend;
}

/**
 * One life of a daemon: opens the journal, says what it found, answers people and makes effects real until it dies. The
 * heart, the loop and the live view are the real ones; clock, disk, holders and git are simulated.
 */
export class SimDaemon implements EffectsOwner {
  readonly epoch: number;
  readonly journal: Journal;
  readonly publisher: Publisher;
  readonly loop: EventLoop;
  readonly effects: SimEffects;
  isAlive = true;
  /** Answers people. */
  isServing = false;
  /** Has said what it found. */
  isRecovered = false;
  readonly #ports: DaemonPorts;
  readonly #options: { slots: number; pid: number; onEnd(how: string): void };
  readonly #clock: Clock;
  readonly #fleet: Fleet;
  readonly #audience: Audience;
  readonly #linked = new Set<string>();
  readonly #deliverAt = new Map<string, number>();
  /** When a stop was first seen under way, by process, while nothing stood in its way. */
  readonly #stopSince = new Map<string, number>();
  #showing: Turn | null = null;
  #isFenced = false;

  constructor(ports: DaemonPorts, options: { slots: number; pid: number; onEnd(how: string): void }) {
    this.#ports = ports;
    this.#options = options;
    const { bend, disk, timeline, watch } = ports;
    const opened = disk.open(() => !this.isAlive);
    const state = restore(opened);
    bend.restored?.(state);
    watch.restored(state);
    this.epoch = opened.epoch + 1;
    this.journal = bend.journal?.(opened.journal) ?? opened.journal;
    this.#clock = bend.clock?.(timeline) ?? steadyClock(timeline, state.at);
    this.#fleet = guard(bend.fleet?.(state) ?? new Fleet(state), watch, timeline);
    this.publisher = new Publisher(this.#clock, state);
    this.#audience = new Audience(state, this.publisher, watch, (session) => this.#measure(session));
    this.effects = new SimEffects(ports, this);
    this.loop = new EventLoop(
      { clock: this.#clock, log: silentLog },
      {
        fleet: this.#fleet,
        journal: this.journal,
        run: (effect) => this.#run(effect),
        prepare: (turn) => this.#prepare(turn),
        onTrouble: (message) => this.#audience.setReadOnly(message),
        onFenced: () => this.#endFenced(),
      },
    );
  }

  start(): void {
    const { machine } = this.#ports;
    const { slots, pid } = this.#options;
    const { bootId } = machine;
    const started = { epoch: this.epoch, pid, version: '0.0.0-sim', bootId, slots };
    void this.loop.submit({ type: 'daemon/started', at: this.now(), ...started }).then(() => {
      if (!this.isAlive) return;
      this.#audience.open();
      this.isServing = true;
      this.#look();
    });
  }

  get state(): FleetState {
    return this.#fleet.state;
  }

  now(): number {
    return this.#clock.now();
  }

  report(input: Input): void {
    this.loop.report(input);
  }

  /** A person's request; refused at the door while nothing can be recorded. */
  ask(input: Input): 'asked' | 'refused' {
    if (!this.isServing || this.loop.isHeldUp) return 'refused';
    const { watch, history } = this.#ports;
    watch.asked(input);
    void this.loop.submit(input).then((turn) => {
      history.add(`${input.type} ${turn.refusal === null ? 'ok' : turn.refusal.code}`);
      watch.answered(input, turn);
    });
    return 'asked';
  }

  /** Ends after telling the journal so. */
  stop(): void {
    void this.loop.submit({ type: 'daemon/stopping', at: this.now() }).then(() => this.end('stopped'));
  }

  /** At once, whatever it was doing. */
  end(how: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.isServing = false;
    this.loop[Symbol.dispose]();
    this.#options.onEnd(how);
  }

  /** To end takes a moment; whatever it still shows or does in it is wrong. */
  #endFenced(): void {
    const { timeline, random } = this.#ports;
    this.#isFenced = true;
    timeline.schedule(random.int(1, 300), 'a fenced daemon ends', () => this.end('fenced'));
  }

  saveSnapshot(): void {
    if (!this.isServing || !this.loop.isSettled) return;
    this.journal.writeSnapshot(this.state.seq, writeSnapshot(this.state)).catch(() => {
      // A snapshot only shortens the next start.
    });
  }

  /** Now and then what is shown makes somebody look closer, who reports at once. */
  #measure(session: string): void {
    const { random } = this.#ports;
    const incarnation = this.state.sessions.get(session)?.incarnation;
    if (incarnation === undefined || !random.chance(0.05)) return;
    const footprintMiB = random.int(50, 500);
    this.report({ type: 'session/footprint', at: this.now(), session, incarnation, footprintMiB });
  }

  knows(holder: SimHolder): boolean {
    return this.#linked.has(holder.id);
  }

  /** Says hello and listens. `done` also when the holder has died or says that this daemon is history. */
  greet(holder: SimHolder, done: () => void): void {
    this.effects.later(1, 60, 'greets a holder', () => {
      if (!this.knows(holder) && this.#ports.machine.greet(holder, this.epoch)) {
        this.#linked.add(holder.id);
        this.report({ type: 'holder/seen', at: this.now(), holder: holder.id, pid: holder.pid, alive: true });
        holder.connect(this.#link(holder));
      }
      done();
    });
  }

  /** What must hold between any two steps. */
  check(): void {
    if (!this.isServing) return;
    const { watch, timeline } = this.#ports;
    watch.expectOwners(this.state);
    this.#expectStopsEnd(timeline.monotonic());
    if (this.isRecovered && this.loop.isSettled) watch.expectKnown(this.state);
  }

  /** Compares everything with everything, whenever nothing is under way in the loop. */
  compare(): void {
    if (!this.isServing || !this.loop.isSettled) return;
    this.#ports.watch.settled(this.state);
    this.#audience.expectAll(this.state);
  }

  /** Greets every holder before it says what it found: from then on none obeys an older daemon. */
  #look(): void {
    const holders = [...this.#ports.machine.holders.values()];
    let waiting = holders.length;
    if (waiting === 0) return this.#recover();
    for (const holder of holders) {
      this.greet(holder, () => {
        if (--waiting === 0) this.#recover();
      });
    }
  }

  #recover(): void {
    const { bend, machine } = this.#ports;
    const channels: FoundChannel[] = [...machine.loggedExits()].map((logged) => ({ ...logged, pid: null }));
    for (const holder of machine.holders.values()) {
      if (!this.knows(holder)) continue;
      for (const { session, incarnation, pid, exit } of holder.channels.values()) {
        channels.push({ session, incarnation, holder: holder.id, pid: exit === null ? pid : null, exit });
      }
    }
    const found = bend.inventory?.(channels) ?? channels;
    this.report({ type: 'recovery/inventory', at: this.now(), channels: found, bootId: machine.bootId });
    this.isRecovered = true;
    this.effects.ready();
  }

  /** What a holder says arrives in order, mostly soon. */
  #link(holder: SimHolder): HolderLink {
    const { timeline, random } = this.#ports;
    return {
      isOpen: () => this.isAlive,
      receive: (event) => {
        const now = timeline.monotonic();
        const at = Math.max(this.#deliverAt.get(holder.id) ?? 0, now + random.int(0, random.chance(0.05) ? 1_500 : 8));
        this.#deliverAt.set(holder.id, at);
        timeline.schedule(at - now, `holder tells ${event.type}`, () => {
          if (this.isAlive) this.#hear(event);
        });
      },
    };
  }

  #hear(event: HolderEvent): void {
    const at = this.now();
    switch (event.type) {
      case 'said': {
        const { session, incarnation, utterance } = event;
        const { source, confidence, state, aheadMs } = utterance;
        // An earlier daemon may have read it at a time that never came to be on record.
        utterance.readAt = Math.min(at, utterance.readAt ?? at);
        const evidence = { source, signal: state, at: utterance.readAt + aheadMs, confidence, state };
        return this.report({ type: 'session/evidence', at, session, incarnation, evidence: [evidence] });
      }
      case 'printed':
        return this.report({ ...event, type: 'session/output', at });
      case 'paused':
        return this.report({ ...event, type: 'session/terminal-paused', at, message: 'The disk is full' });
      case 'exited':
        return this.report({ ...event, type: 'process/exited', at });
      case 'gone':
        return this.#hearGone(event.holder, at);
    }
  }

  #hearGone(holder: string, at: number): void {
    this.#linked.delete(holder);
    this.report({ type: 'holder/seen', at, holder, pid: 0, alive: false });
    for (const { id: session, incarnation, process } of [...this.state.sessions.values()]) {
      if (process?.holder !== holder) continue;
      const exit = this.#ports.machine.log(session, incarnation)?.exit ?? null;
      if (exit !== null) this.report({ type: 'process/exited', at, session, incarnation, exit });
      else this.report({ type: 'process/lost', at, session, incarnation, cause: 'holder-gone' });
    }
  }

  #run(effect: Effect): void {
    const { watch, bend } = this.#ports;
    const isDue = this.#showing?.effects.includes(effect) === true;
    watch.expect(isDue, 'acked-durable', () => `${effect.type} runs before its turn is durable`);
    for (const each of bend.effects?.(effect) ?? [effect]) this.effects.run(each);
  }

  #prepare(turn: Turn): () => void {
    const drawing = this.publisher.prepare(turn.events);
    if (this.#ports.bend.showsEarly) this.publisher.publish(drawing, turn.rows);
    return () => {
      this.#showing = turn;
      const { watch } = this.#ports;
      watch.expect(!this.#isFenced, 'acked-durable', () => 'Something is shown by a daemon that another has replaced');
      watch.released(turn);
      this.#audience.release(turn);
      this.publisher.publish(drawing, turn.rows);
    };
  }

  #expectStopsEnd(now: number): void {
    const isHindered = !this.isRecovered || this.loop.isHeldUp;
    for (const { id, incarnation, stopping, process } of this.state.sessions.values()) {
      const key = channelKey(id, incarnation);
      if (stopping === null || process === null || isHindered) this.#stopSince.delete(key);
      else {
        const since = this.#stopSince.get(key) ?? now;
        this.#stopSince.set(key, since);
        const isSoon = now - since < stopMsMax;
        this.#ports.watch.expect(isSoon, 'stop-ends', () => `${key} was stopped ${now - since} ms ago and runs`);
      }
    }
  }
}

function restore({ snapshot, rows }: OpenedJournal): FleetState {
  const state = (snapshot && readSnapshot(snapshot.state)) ?? emptyFleet(simHost);
  return replay(state, rows);
}

/** More ticks that lead to nothing within a second are a loop that never sleeps. */
const idleTicksMax = 30;

/** Our own assertions become violations with their seed instead of ending the run, and so does being woken for nothing. */
function guard(fleet: Fleet, watch: Watch, timeline: Timeline): Fleet {
  const handle = fleet.handle.bind(fleet);
  let [second, idleTicks] = [0, 0];
  fleet.handle = (input) => {
    try {
      const turn = handle(input);
      if (input.type === 'tick' && turn.events.length === 0) {
        const now = Math.floor(timeline.monotonic() / 1_000);
        idleTicks = now === second ? idleTicks + 1 : 1;
        second = now;
        watch.expect(idleTicks < idleTicksMax, 'quiet', () => `Woken ${idleTicks} times within a second for nothing`);
      }
      return turn;
    } catch (error) {
      watch.fail('no-assertion', `${(error as Error).message}, at ${JSON.stringify(input)}`);
      return { rows: [], steps: [], events: [], effects: [], refusal: null };
    }
  };
  return fleet;
}
