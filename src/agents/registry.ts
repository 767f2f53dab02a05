import { ok, type Result, refuse } from '../base/index.ts';
import type { Agent } from './agent.ts';
import { createDemoAgent, type DemoAgentOptions } from './demo/demo-agent.ts';
import { genericAgent } from './generic/generic-agent.ts';

export interface AgentsOptions {
  demo: DemoAgentOptions;
}

/** Every agent this version knows, by id. */
export function createAgents(options: AgentsOptions): ReadonlyMap<string, Agent> {
  return new Map([genericAgent, createDemoAgent(options.demo)].map((agent) => [agent.id, agent]));
}

export function findAgent(agents: ReadonlyMap<string, Agent>, id: string): Result<Agent, 'agent/unknown'> {
  const agent = agents.get(id);
  if (agent !== undefined) return ok(agent);
  const known = [...agents.keys()].sort().join(', ');
  return refuse('agent/unknown', `No agent is called ${JSON.stringify(id.slice(0, 40))}: this version knows ${known}`);
}
