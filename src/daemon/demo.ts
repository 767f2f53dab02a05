import { createDemoProject, DemoProjectError, demoTasks } from '../agents/index.ts';
import { ok, type Result, refuse } from '../base/index.ts';
import type { FleetState, Session } from '../fleet/index.ts';
import type { DoneDocument, ErrorCode, Home } from '../protocol/index.ts';
import type { FleetPort } from '../server/index.ts';

/** The simulated fleet: sessions that really edit, test and commit in a throwaway repository and call no model. */
export class Demo {
  readonly #home: Home;
  readonly #state: FleetState;

  constructor(options: { home: Home; state: FleetState }) {
    this.#home = options.home;
    this.#state = options.state;
  }

  /** Starts what of the demo fleet is not there yet. */
  async start(fleet: FleetPort, env: Readonly<Record<string, string>>): Promise<Result<DoneDocument, ErrorCode>> {
    try {
      await createDemoProject({ folder: this.#home.demo });
    } catch (error) {
      if (!(error instanceof DemoProjectError)) throw error;
      return refuse(error.code === 'git-missing' ? 'git/missing' : 'git/failed', error.message);
    }
    const names = new Set(this.#sessions().map(({ name }) => name));
    const taken = new Set([...this.#state.sessions.values()].map(({ tab }) => tab));
    let started = 0;
    for (const task of demoTasks) {
      if (names.has(task.name)) continue;
      const answer = await fleet.startTask({
        prompt: task.prompt,
        title: task.title,
        name: task.name,
        agent: 'demo',
        argv: [...task.argv],
        cwd: this.#home.demo,
        inPlace: false,
        tab: taken.has(task.tab) ? 'auto' : task.tab,
        priority: 'next',
        env: { ...env },
        columns: 120,
        rows: 40,
      });
      if (!answer.ok) return answer;
      started++;
    }
    return ok({
      schema: 'concert/done@1',
      session: null,
      message: `Started ${started} simulated sessions. No model is called.`,
    });
  }

  /** Ends and removes every simulated session; only their throwaway branches go with them. */
  async stop(fleet: FleetPort): Promise<Result<DoneDocument, ErrorCode>> {
    const sessions = this.#sessions();
    for (const session of sessions) {
      if (session.process !== null) {
        const ended = this.#ended(fleet, session.id);
        const stopping = await fleet.act(session.id, { type: 'stop' });
        if (!stopping.ok && stopping.code !== 'session/not-live') return stopping;
        await ended;
      }
      const removed = await fleet.act(session.id, { type: 'remove', force: true });
      if (!removed.ok) return removed;
    }
    return ok({ schema: 'concert/done@1', session: null, message: `Removed ${sessions.length} simulated sessions` });
  }

  #sessions(): Session[] {
    return [...this.#state.sessions.values()].filter(
      (session) => this.#state.tasks.get(session.task)?.spec.simulated === true,
    );
  }

  #ended(fleet: FleetPort, session: string): Promise<void> {
    return new Promise((resolve) => {
      const subscription = fleet.onEvent((event) => {
        const isEnd = event.type === 'session.processExited' || event.type === 'session.processLost';
        if (event.session !== session || !isEnd) return;
        subscription[Symbol.dispose]();
        resolve();
      });
    });
  }
}
