import type { Clock } from '../base/index.ts';
import type { Effect, Fleet, FleetState, FoundChannel, Journal } from '../fleet/index.ts';
import type { SimMachine } from './sim-machine.ts';

/**
 * Ways to bend one part of a daemon or its world out of shape, so that it can be shown that the invariants notice.
 * Ordinary runs bend nothing.
 */
export interface Bend {
  fleet?(state: FleetState): Fleet;
  journal?(journal: Journal): Journal;
  clock?(clock: Clock): Clock;
  restored?(state: FleetState): void;
  inventory?(channels: FoundChannel[]): FoundChannel[];
  effects?(effect: Effect): Effect[];
  machine?(machine: SimMachine): void;
  /** Shows what changed before it is on record. */
  showsEarly?: boolean;
  /** Starts in a new holder without asking the journal whether this daemon still counts. */
  skipsFenceCheck?: boolean;
  /** Starts without looking whether a holder has the process already. */
  startsBlindly?: boolean;
}
