/**
 * One folder per agent CLI: how to launch it, what its signals mean, how to type to it.
 * Folders never import each other, and no other part of the program asks which agent it has.
 */
export type * from './agent.ts';
export { createDemoProject, DemoProjectError } from './demo/demo-project.ts';
export { demoTasks } from './demo/demo-tasks.ts';
export { filterEnvironment } from './environment.ts';
export { createAgents, findAgent } from './registry.ts';
