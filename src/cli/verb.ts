import type { Command } from 'commander';
import type { Call } from './call.ts';
import type { Outcome } from './outcome.ts';

/** One verb: the arguments and options it takes beside the common ones, and what it does. */
export interface Verb<Options extends object = Record<string, unknown>> {
  shape(command: Command): void;
  /** `args` are those left after the options; `rest` is what stood after `--` where the verb asks for that. */
  run(call: Call, args: string[], options: Options, rest: string[]): Promise<Outcome>;
  /** Keeps what follows `--` apart, as a command line of its own. */
  hasRest?: boolean;
}

/** Calls made of these alone are taken apart without the argument library, which is a seventh of a cold start. */
export interface QuickShape {
  /** How many arguments, at least and at most. */
  args: readonly [number, number];
  /** Long flags without a value, such as `--take`. */
  flags: readonly string[];
  /** What the other options are when nothing is said. */
  defaults: Readonly<Record<string, unknown>>;
}

/** Gives the options their type: commander knows only their names. */
export function defineVerb<Options extends object>(verb: Verb<Options>): Verb {
  return verb as unknown as Verb;
}
