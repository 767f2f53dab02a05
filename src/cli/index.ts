/**
 * The command line: verbs, their output for people and for programs, and the attached terminal.
 * Must never import the daemon or the fleet: it is a client as any other, and what it needs of the program that hosts
 * the daemon comes in through `OtherHalf`.
 */
export type { Invocation, OtherHalf } from './invocation.ts';
export { runCli } from './run-cli.ts';
