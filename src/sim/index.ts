/**
 * The fleet's own heart and loop in a simulated world: from one seed one history of people, agents and faults, checked
 * step by step. Must never touch a real clock, disk, process or chance, nor copy a rule of the fleet to make it fit.
 */
export { type Output, runSim } from './run-sim.ts';
