import { assert, type Refusal } from '../base/index.ts';
import type { ErrorCode } from '../protocol/index.ts';
import { decide } from './decide.ts';
import { type FleetEvent, isDurable } from './events.ts';
import { evolve } from './evolve.ts';
import { followUp, nextWakeAt } from './follow-up.ts';
import type { Effect, Input } from './inputs.ts';
import type { CoordinationStep, JournalRow } from './journal.ts';
import type { FleetState } from './state.ts';

/** More rounds than this mean two standing rules undo each other: our bug. */
const roundsMax = 10_000;

/** What one input led to. `rows` and `steps` must be durable before `effects` run or anything is shown. */
export interface Turn {
  rows: JournalRow[];
  steps: CoordinationStep[];
  /** Every event in order, the volatile ones too. */
  events: FleetEvent[];
  effects: Effect[];
  refusal: Refusal<ErrorCode> | null;
}

/**
 * The fleet as something that can be asked: hand it an input, get back what happened and what is to be done. It decides,
 * applies, and goes on until the standing rules are quiet. Pure but for the state it owns; the daemon and the simulator
 * drive the very same one.
 */
export class Fleet {
  readonly state: FleetState;

  constructor(state: FleetState) {
    this.state = state;
  }

  handle(input: Input): Turn {
    const turn: Turn = { rows: [], steps: [], events: [], effects: [], refusal: null };
    const decision = decide(this.state, input);
    if (!decision.ok) return { ...turn, refusal: decision };
    this.#apply(turn, decision.events, input.at);
    turn.effects.push(...decision.effects);
    if (this.state.isResting) return turn;
    for (let round = 0; ; round++) {
      assert(round < roundsMax, 'Standing rules do not come to rest');
      const next = followUp(this.state, input.at);
      if (next === null || !next.ok) return turn;
      this.#apply(turn, next.events, input.at);
      turn.effects.push(...next.effects);
    }
  }

  /** When to send the next `tick`; null for never. */
  nextWakeAt(): number | null {
    return nextWakeAt(this.state);
  }

  #apply(turn: Turn, events: readonly FleetEvent[], at: number): void {
    for (const event of events) {
      evolve(this.state, event, at);
      turn.events.push(event);
      if (!isDurable(event)) continue;
      turn.rows.push({ seq: this.state.seq, at, host: this.state.host, event });
      turn.steps.push(...stepsOf(event, this.state));
    }
  }
}

/** Claims ride in the transaction of the events that tell of them. */
function stepsOf(event: FleetEvent, state: FleetState): CoordinationStep[] {
  const owner = state.host;
  switch (event.type) {
    case 'task.added':
      return [{ type: 'enqueue', task: event.task, pool: 'local' }];
    case 'task.claimed':
      return [{ type: 'claim', task: event.task, owner, token: event.token }];
    case 'session.launchRequested': {
      const task = state.sessions.get(event.session)?.task;
      // What is finished stays so: going on in its conversation takes no claim, which the coordinator would refuse.
      if (task === undefined || state.tasks.get(task)?.outcome !== null) return [];
      return event.incarnation === 1
        ? [{ type: 'renew', task, owner, token: 1 }]
        : [{ type: 'claim', task, owner, token: event.incarnation }];
    }
    case 'task.removed':
      // Nobody else may take it either: claimed and done in one.
      return [
        { type: 'claim', task: event.task, owner, token: 1 },
        { type: 'commit', task: event.task, owner, token: 1 },
      ];
    case 'task.finished':
      return [{ type: 'commit', task: event.task, owner, token: event.token }];
    default:
      return [];
  }
}
