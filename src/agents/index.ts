/**
 * One folder per agent CLI: how to launch it, what its signals mean, how to type to it.
 * Folders never import each other, and no other part of the program asks which agent it has.
 */
export type * from './agent.ts';
export { createDemoProject, DemoProjectError, type DemoProjectOptions, type RunGit } from './demo/demo-project.ts';
export { type DemoTask, demoTasks } from './demo/demo-tasks.ts';
export { type FilteredEnvironment, filterEnvironment } from './environment.ts';
export { type AgentsOptions, createAgents, findAgent } from './registry.ts';
