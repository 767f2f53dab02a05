/**
 * The heart: what the fleet knows and how it decides. Takes state and an input, answers with events and effects.
 * Must never do I/O, read a clock, roll dice or name a thing of the environment.
 */
export type * from './coordinator.ts';
export {
  explainDocument,
  hostDocument,
  keyedDocuments,
  queuedDocument,
  sessionDocument,
  touches,
} from './documents.ts';
export * from './events.ts';
export { evolve } from './evolve.ts';
export { Fleet, type Turn } from './fleet.ts';
export type * from './inputs.ts';
export type * from './journal.ts';
export { nameLengthMax, plainLine, slugOf, titleLengthMax } from './naming.ts';
export { readSnapshot, writeSnapshot } from './snapshot.ts';
export {
  emptyFleet,
  type FleetState,
  heardTo,
  type Project,
  queuedTasks,
  type Session,
  stopGraceMs,
  type Task,
  usedSlots,
} from './state.ts';
