import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Agent, type Detection, findAgent, type LaunchPlan, type LaunchRequest } from '../agents/index.ts';
import { assert, type Clock, ok, type Random, type Result, refuse } from '../base/index.ts';
import type { FleetState, ProcessFacts, Session } from '../fleet/index.ts';
import type { ErrorCode, Home } from '../protocol/index.ts';
import type { EnvironmentStore } from './environment-store.ts';
import { sessionFolder } from './home.ts';
import type { MachineProbe } from './machine-probe.ts';
import type { Terminals } from './terminals.ts';

/** What is known about an installed agent is believed this long; they update themselves several times a week. */
const detectionFreshMs = 60_000;

export interface LaunchesOptions {
  home: Home;
  clock: Clock;
  random: Random;
  state: FleetState;
  agents: ReadonlyMap<string, Agent>;
  environments: EnvironmentStore;
  probe: MachineProbe;
  terminals: Terminals;
}

export interface Launched {
  process: ProcessFacts;
  /** What is still to be typed once the agent is ready. */
  prompt: { message: string; text: string } | null;
}

/** Turns a session into running processes by its agent's plan, and types to them the way that agent wants it. */
export class Launches {
  readonly #options: LaunchesOptions;
  readonly #detections = new Map<string, { at: number; detection: Detection }>();

  constructor(options: LaunchesOptions) {
    this.#options = options;
  }

  async start(session: Session, incarnation: number, resume: boolean): Promise<Result<Launched, ErrorCode>> {
    const { state, agents, terminals, home, environments, random } = this.#options;
    const spec = state.tasks.get(session.task)?.spec;
    assert(spec !== undefined && session.worktree !== null, 'A launch needs its task and its folder');
    const agent = findAgent(agents, spec.agent);
    if (!agent.ok) return agent;
    const detection = await this.#detect(agent.value);
    if (!detection.installed) {
      return {
        ok: false,
        code: 'agent/not-installed',
        message: `${agent.value.title} is not installed: ${detection.note ?? 'its program was not found'}`,
      };
    }
    const folder = sessionFolder(home, session.id);
    mkdirSync(folder.private, { recursive: true, mode: 0o700 });
    const request: LaunchRequest = {
      session: session.id,
      incarnation,
      cwd: session.worktree.path,
      prompt: resume ? '' : spec.prompt,
      argv: spec.argv,
      env: environments.get(session.id),
      conversation: resume ? { kind: 'resume', id: session.conversation } : { kind: 'fresh', id: randomUUID() },
      privateDir: folder.private,
      hooks: null,
      server: null,
      detection,
    };
    const plan = agent.value.launch(request);
    if (!plan.ok) return plan;
    if (plan.value.sidecars.length > 0) {
      return refuse(
        'request/not-built-yet',
        `${agent.value.title} needs a server of its own beside its terminal, which this version cannot start yet`,
      );
    }
    writePlanFiles(plan.value);
    const process = await terminals.start({
      session: session.id,
      incarnation,
      plan: plan.value,
      columns: spec.columns,
      rows: spec.rows,
    });
    if (!process.ok) return process;
    const prompt =
      plan.value.carriesPrompt || request.prompt === '' ? null : { message: `m_${random.id(8)}`, text: request.prompt };
    return ok({ process: { ...process.value, conversation: plan.value.conversation }, prompt });
  }

  /** False when the process of that incarnation is no longer there to type to. */
  async type(session: Session, incarnation: number, text: string): Promise<boolean> {
    const { state, agents, terminals, clock } = this.#options;
    const agent = agents.get(state.tasks.get(session.task)?.spec.agent ?? '');
    if (agent === undefined) return false;
    for (const step of agent.submit(text)) {
      if (!terminals.write(session.id, incarnation, Buffer.from(step.bytes, 'utf8'))) return false;
      if (step.thenWaitMs > 0) await new Promise<void>((resolve) => clock.after(step.thenWaitMs, resolve));
    }
    return true;
  }

  forget(session: string): void {
    this.#options.environments.forget(session);
  }

  async detectAll(): Promise<{ agent: Agent; detection: Detection }[]> {
    return await Promise.all(
      [...this.#options.agents.values()].map(async (agent) => ({ agent, detection: await this.#detect(agent) })),
    );
  }

  async #detect(agent: Agent): Promise<Detection> {
    const now = this.#options.clock.monotonic();
    const known = this.#detections.get(agent.id);
    if (known !== undefined && now - known.at < detectionFreshMs) return known.detection;
    const detection = await agent.detect(this.#options.probe);
    this.#detections.set(agent.id, { at: now, detection });
    return detection;
  }
}

function writePlanFiles(plan: LaunchPlan): void {
  for (const file of plan.files) {
    mkdirSync(dirname(file.path), { recursive: true, mode: 0o700 });
    writeFileSync(`${file.path}.new`, file.content, { mode: 0o600 });
    if (file.executable) chmodSync(`${file.path}.new`, 0o700);
    renameSync(`${file.path}.new`, file.path);
  }
}
