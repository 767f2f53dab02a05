import type { Effect, FleetState, Input, Journal, TaskSpec } from '../fleet/index.ts';
import type { Bend } from './bend.ts';
import { channelKey, type SimChannel, type SimHolder } from './sim-holder.ts';
import { holderSessionsMax, type SimMachine } from './sim-machine.ts';
import type { SimRandom } from './sim-random.ts';
import type { Timeline } from './timeline.ts';
import type { Watch } from './watch.ts';

type LaunchEffect = Extract<Effect, { type: 'session/launch' }>;

/** What making effects real needs of the daemon it is a part of. */
export interface EffectsOwner {
  readonly epoch: number;
  readonly isAlive: boolean;
  readonly state: FleetState;
  readonly journal: Journal;
  now(): number;
  report(input: Input): void;
  knows(holder: SimHolder): boolean;
  greet(holder: SimHolder, done: () => void): void;
  end(how: string): void;
}

export interface EffectsPorts {
  timeline: Timeline;
  random: SimRandom;
  machine: SimMachine;
  watch: Watch;
  bend: Bend;
}

/**
 * Makes effects real in the simulated world and reports what came of them, with the care the real daemon needs: nothing
 * reaches a holder before all are known, a launch looks for what an earlier attempt has left, a new holder is used only
 * after the journal has said that this daemon still counts.
 */
export class SimEffects {
  /** Holders on their way, which nobody else knows of yet. */
  spawning = 0;
  /** Things asked of the world that have not come back. */
  underWay = 0;
  readonly #daemon: EffectsOwner;
  readonly #ports: EffectsPorts;
  readonly #launching = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #isReady = false;

  constructor(ports: EffectsPorts, daemon: EffectsOwner) {
    this.#ports = ports;
    this.#daemon = daemon;
  }

  /** Every holder is known: what waited for that goes on. */
  ready(): void {
    this.#isReady = true;
    for (const run of this.#waiting.splice(0)) run();
  }

  run(effect: Effect): void {
    switch (effect.type) {
      case 'worktree/create':
        return this.#createWorktree(effect.session);
      case 'worktree/remove':
        return this.#removeWorktree(effect.session, effect.force);
      case 'session/launch':
        return this.#whenReady(() => this.#launch(effect));
      case 'process/signal':
        return this.#whenReady(() => this.#signal(effect));
      case 'message/type':
        return this.#whenReady(() => this.#type(effect));
      case 'session/forget':
        return this.#whenReady(() =>
          this.later(1, 20, 'forgets a session', () => this.#ports.machine.forget(effect.session, this.#daemon.epoch)),
        );
    }
  }

  #createWorktree(session: string): void {
    this.underWay++;
    this.#ports.machine.createWorktree(session, this.#daemon, (worktree) => {
      this.underWay--;
      const at = this.#daemon.now();
      const failed = { code: 'git/failed', message: 'git ended with code 128' } as const;
      if (worktree !== null) this.#daemon.report({ type: 'worktree/created', at, session, worktree });
      else this.#daemon.report({ type: 'worktree/failed', at, session, ...failed });
    });
  }

  #removeWorktree(session: string, force: boolean): void {
    this.underWay++;
    this.#ports.machine.removeWorktree(session, force, this.#daemon, (keptBecause) => {
      this.underWay--;
      const at = this.#daemon.now();
      if (keptBecause === null) this.#daemon.report({ type: 'worktree/removed', at, session, backupRef: null });
      else this.#daemon.report({ type: 'worktree/kept', at, session, message: keptBecause });
    });
  }

  /** Once per incarnation and daemon: two searches for a free holder could find two. */
  #launch(effect: LaunchEffect): void {
    const key = channelKey(effect.session, effect.incarnation);
    if (this.#launching.has(key) && this.#ports.bend.startsBlindly !== true) return;
    this.#launching.add(key);
    this.#tryLaunch(effect);
  }

  #tryLaunch(effect: LaunchEffect): void {
    const { machine, bend, random } = this.#ports;
    const { session, incarnation } = effect;
    const found = bend.startsBlindly ? undefined : machine.find(session, incarnation);
    if (found !== undefined) return this.#reportStart(effect, found.holder, found.channel);
    const log = machine.log(session, incarnation);
    if (log !== undefined && bend.startsBlindly !== true) {
      const at = this.#daemon.now();
      if (log.exit !== null) this.#daemon.report({ type: 'process/exited', at, session, incarnation, exit: log.exit });
      else this.#daemon.report({ type: 'process/lost', at, session, incarnation, cause: 'holder-gone' });
      return;
    }
    const free = [...machine.holders.values()].find(
      (holder) => this.#daemon.knows(holder) && holder.liveCount() < holderSessionsMax && !bend.startsBlindly,
    );
    if (free !== undefined) return this.#start(effect, free);
    this.spawning++;
    this.later(80, random.chance(0.2) ? 6_000 : 900, 'spawns a holder', () => {
      this.spawning--;
      const holder = machine.spawnHolder();
      this.#daemon.greet(holder, () => this.#checkFence(() => this.#start(effect, holder)));
    });
  }

  /** A holder that a later daemon does not know yet obeys this one; so ask the journal first whether this one still counts. */
  #checkFence(then: () => void): void {
    if (this.#ports.bend.skipsFenceCheck) return then();
    this.#daemon.journal.append({ epoch: this.#daemon.epoch, rows: [], steps: [] }).then(
      () => {
        if (this.#daemon.isAlive) then();
      },
      (error: { code: string }) => {
        if (error.code === 'journal/fenced') return this.#daemon.end('fenced');
        this.later(100, 400, 'asks the journal again', () => this.#checkFence(then));
      },
    );
  }

  #start(effect: LaunchEffect, holder: SimHolder): void {
    const { machine } = this.#ports;
    const { session, incarnation, resume } = effect;
    const spec = this.#daemon.state.tasks.get(this.#daemon.state.sessions.get(session)?.task ?? '')?.spec;
    if (spec === undefined) return;
    const carriesPrompt = !resume && carries(spec);
    this.underWay++;
    this.#ports.timeline.schedule(this.#frameMs(), 'a start frame arrives', () => {
      const answer = machine.start(holder, this.#daemon.epoch, {
        session,
        incarnation,
        prompts: spec.can.prompt,
        carriesPrompt,
      });
      this.later(1, 20, 'a start is answered', () => {
        // An answer comes before the end of its connection, never after.
        if (answer.kind === 'there' && holder.isAlive) this.#reportStart(effect, holder, answer.channel);
        else if (answer.kind !== 'stale') this.#tryLaunch(effect);
      });
      this.underWay--;
    });
  }

  #reportStart({ session, incarnation, resume }: LaunchEffect, holder: SimHolder, channel: SimChannel): void {
    const { state } = this.#daemon;
    const spec = state.tasks.get(state.sessions.get(session)?.task ?? '')?.spec;
    if (spec === undefined) return;
    const at = this.#daemon.now();
    const { exit, pid } = channel;
    if (channel.agent === null) {
      const failed = { code: 'agent/binary-missing', message: exit?.message ?? '' } as const;
      return this.#daemon.report({ type: 'process/failed', at, session, incarnation, ...failed });
    }
    this.#daemon.report({
      type: 'process/started',
      at,
      session,
      incarnation,
      process: {
        holder: holder.id,
        holderPid: holder.pid,
        channel: channel.channel,
        pid,
        conversation: spec.can.resume ? `c-${session}` : null,
      },
      prompt:
        spec.can.prompt && !resume && !carries(spec)
          ? { message: `${session}.${incarnation}`, text: spec.prompt }
          : null,
    });
    if (exit !== null) this.#daemon.report({ type: 'process/exited', at, session, incarnation, exit });
  }

  #signal({ session, incarnation, signal }: Extract<Effect, { type: 'process/signal' }>): void {
    this.#toChannel(session, incarnation, 'a signal arrives', (channel) => {
      if (channel === null) return;
      this.#ports.watch.signalled(session, incarnation);
      channel.agent?.signal(signal);
    });
  }

  #type({ session, incarnation, message, text, steer }: Extract<Effect, { type: 'message/type' }>): void {
    this.#toChannel(session, incarnation, 'a message arrives', (channel) => {
      if (channel?.agent?.isAlive === true) {
        this.#ports.watch.typed(message);
        return channel.agent.type();
      }
      if (this.#daemon.isAlive)
        this.#daemon.report({
          type: 'message/failed',
          at: this.#daemon.now(),
          session,
          incarnation,
          message,
          text,
          steer,
        });
    });
  }

  #toChannel(session: string, incarnation: number, what: string, then: (channel: SimChannel | null) => void): void {
    const { machine, timeline } = this.#ports;
    this.underWay++;
    timeline.schedule(this.#frameMs(), what, () => {
      this.underWay--;
      const found = machine.find(session, incarnation);
      then(found === undefined ? null : machine.frame(found.holder, this.#daemon.epoch, session, incarnation));
    });
  }

  /** A frame arrives whatever becomes of its sender, now and then long after: a machine under load, a buffer that was full. */
  #frameMs(): number {
    const { random } = this.#ports;
    return random.int(1, random.chance(0.05) ? 3_000 : 20);
  }

  #whenReady(run: () => void): void {
    if (this.#isReady) run();
    else this.#waiting.push(run);
  }

  /** Something this daemon does itself: not done if it dies before. */
  later(lowMs: number, highMs: number, what: string, run: () => void): void {
    const { timeline, random } = this.#ports;
    this.underWay++;
    timeline.schedule(random.int(lowMs, highMs), what, () => {
      this.underWay--;
      if (this.#daemon.isAlive) run();
    });
  }
}

/** Half of the agents take their first prompt as an argument. */
function carries(spec: TaskSpec): boolean {
  return spec.prompt.length % 2 === 0;
}
