/**
 * The heart: what the fleet knows and how it decides. Takes state and an input, answers with events and effects.
 * Must never do I/O, read a clock, roll dice or name a thing of the environment.
 */
export type * from './coordinator.ts';
export * from './events.ts';
export type * from './journal.ts';
