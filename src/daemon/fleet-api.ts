import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { type Agent, filterEnvironment, findAgent } from '../agents/index.ts';
import { assert, type Clock, ok, type Random, type Result, refuse } from '../base/index.ts';
import {
  type Command,
  explainDocument,
  type FleetState,
  type Journal,
  nameLengthMax,
  plainLine,
  queuedTasks,
  type Session,
  sessionDocument,
  titleLengthMax,
  usedSlots,
} from '../fleet/index.ts';
import type { Config } from '../protocol/index.ts';
import {
  argvBytesMax,
  type DoneDocument,
  type ErrorCode,
  type EventsDocument,
  type ExplainDocument,
  type RunDocument,
  type ShowDocument,
  type StatusDocument,
  type TaskStart,
} from '../protocol/index.ts';
import type { FleetPort, SessionAction } from '../server/index.ts';
import type { Demo } from './demo.ts';
import type { Doctor } from './doctor.ts';
import type { EnvironmentStore } from './environment-store.ts';
import type { EventLoop } from './event-loop.ts';
import type { Launches } from './launches.ts';
import { eventDocument, type Publisher } from './publisher.ts';
import type { Terminals } from './terminals.ts';
import type { Workspaces } from './workspaces.ts';

export interface FleetApiOptions {
  state: FleetState;
  loop: EventLoop;
  journal: Journal;
  publisher: Publisher;
  clock: Clock;
  random: Random;
  config: Config;
  agents: ReadonlyMap<string, Agent>;
  environments: EnvironmentStore;
  launches: Launches;
  workspaces: Workspaces;
  terminals: Terminals;
  demo: Demo;
  doctor: Doctor;
  facts: { version: string; home: string; startedAt: number };
  stop(): void;
}

/** What the edge may ask, in terms of the loop: checks what only the machine can tell, mints ids, submits, words the answer. */
export class FleetApi implements FleetPort {
  readonly #options: FleetApiOptions;

  constructor(options: FleetApiOptions) {
    this.#options = options;
  }

  status(): StatusDocument {
    const { state, facts, publisher } = this.#options;
    const counts: StatusDocument['counts'] = {};
    for (const session of state.sessions.values()) counts[session.state] = (counts[session.state] ?? 0) + 1;
    return {
      schema: 'concert/status@1',
      daemon: {
        pid: process.pid,
        version: facts.version,
        url: null,
        home: facts.home,
        startedAt: new Date(facts.startedAt).toISOString(),
        epoch: state.epoch,
        readOnly: publisher.readOnly,
      },
      counts,
      queued: queuedTasks(state).length,
      slots: { used: usedSlots(state), total: state.slots },
      recovery: state.lastRecovery,
    };
  }

  snapshot() {
    return this.#options.publisher.snapshot();
  }

  subscribe(...[since, listener]: Parameters<FleetPort['subscribe']>): Disposable {
    return this.#options.publisher.subscribe(since, listener);
  }

  onEvent(listener: Parameters<FleetPort['onEvent']>[0]): Disposable {
    return this.#options.publisher.onEvent(listener);
  }

  async startTask(request: TaskStart): Promise<Result<RunDocument, ErrorCode>> {
    const { agents, workspaces, random, environments, config, state } = this.#options;
    const writable = this.#mayChange();
    if (!writable.ok) return writable;
    const agent = findAgent(agents, request.agent);
    if (!agent.ok) return agent;
    const usable = checkRequest(agent.value, request);
    if (!usable.ok) return usable;
    const place = await workspaces.placeOf(request.cwd, request.inPlace, !agent.value.abilities.prompts);
    if (!place.ok) return place;

    const session = `s_${random.id(8)}`;
    const task = `t_${random.id(8)}`;
    environments.capture(session, filterEnvironment(request.env, [...agent.value.environment, ...config['env.allow']]));
    const title =
      plainLine(request.title ?? (request.prompt || request.argv.join(' ')), titleLengthMax) || agent.value.title;
    const turn = await this.#submit({
      type: 'task/start',
      at: this.#now(),
      task,
      session,
      project: { id: `p_${random.id(8)}`, ...place.value.project },
      spec: {
        title,
        prompt: request.prompt,
        agent: agent.value.id,
        argv: request.argv,
        priority: request.priority,
        inPlace: place.value.inPlace,
        cwd: request.cwd,
        name: request.name === undefined ? null : plainLine(request.name, nameLengthMax) || null,
        tab: request.tab,
        columns: request.columns,
        rows: request.rows,
        simulated: agent.value.isSimulated,
        can: { prompt: agent.value.abilities.prompts, resume: agent.value.abilities.resume },
      },
    });
    if (!turn.ok) {
      environments.discard(session);
      return turn;
    }
    const started = state.sessions.get(session);
    return ok({
      schema: 'concert/run@1',
      task,
      session: started?.id ?? null,
      state: started?.state ?? 'queued',
      name: started?.name ?? null,
      tab: started?.tab ?? null,
      needs: started === undefined ? `a free slot (${usedSlots(state)} of ${state.slots} in use)` : null,
    });
  }

  async removeTask(task: string): Promise<Result<DoneDocument, ErrorCode>> {
    const turn = await this.#submit({ type: 'task/remove', at: this.#now(), task });
    return turn.ok ? ok(done(null, 'Removed from the queue')) : turn;
  }

  async act(id: string, action: SessionAction): Promise<Result<DoneDocument, ErrorCode>> {
    const { state, random, environments, terminals, agents, config } = this.#options;
    const found = this.#session(id);
    if (!found.ok) return found;
    const session = found.value;
    const at = this.#now();
    switch (action.type) {
      case 'stop':
        return this.#done(session, 'Stopping', { type: 'session/stop', at, session: id });
      case 'pause':
        return this.#done(session, 'Paused: messages wait, the present turn goes on', {
          type: 'session/pause',
          at,
          session: id,
        });
      case 'settle':
        return this.#done(session, 'Settled', { type: 'session/settle', at, session: id });
      case 'resume': {
        const agent = agents.get(state.tasks.get(session.task)?.spec.agent ?? '');
        environments.capture(
          id,
          filterEnvironment(action.env, [...(agent?.environment ?? []), ...config['env.allow']]),
        );
        return this.#done(session, 'Resuming', { type: 'session/resume', at, session: id });
      }
      case 'rename':
        return this.#done(session, 'Renamed', { type: 'session/rename', at, session: id, name: action.name });
      case 'tab':
        return this.#done(session, action.tab === null ? 'Took it off its tab' : `Put it on tab ${action.tab}`, {
          type: 'session/bind-tab',
          at,
          session: id,
          tab: action.tab,
        });
      case 'send': {
        const turn = await this.#submit({
          type: 'session/send',
          at,
          session: id,
          message: `m_${random.id(8)}`,
          text: action.text,
          now: action.now,
        });
        if (!turn.ok) return turn;
        const waits = (state.sessions.get(id)?.messages.length ?? 0) > 0;
        return ok(
          done(
            id,
            waits ? `Queued for ${session.name}: it goes out at the end of the turn` : `Sent to ${session.name}`,
          ),
        );
      }
      case 'keys': {
        if (session.driver !== null)
          return refuse('session/not-driver', `Cannot type into "${session.name}": ${session.driver} drives it`);
        if (session.process === null || !terminals.write(id, session.incarnation, action.bytes)) {
          return refuse('session/not-live', `Session "${session.name}" has no process to type to`);
        }
        return ok(done(id, `Typed ${action.bytes.length} bytes into ${session.name}`));
      }
      case 'remove':
        return await this.#remove(session, action.force);
    }
  }

  explain(id: string): Result<ExplainDocument, ErrorCode> {
    const { state, agents } = this.#options;
    const session = this.#session(id);
    if (!session.ok) return session;
    const agent = agents.get(state.tasks.get(session.value.task)?.spec.agent ?? '');
    const sources = (agent?.sources ?? []).map(({ source, reports }) => ({
      source,
      reports: reports.map(({ from, to }) => `${from} to ${to}`),
    }));
    return ok(explainDocument(session.value, sources));
  }

  async show(id: string, screen: boolean): Promise<Result<ShowDocument, ErrorCode>> {
    const session = this.#session(id);
    if (!session.ok) return session;
    const rows = screen ? await this.#options.terminals.text(id) : null;
    return ok({
      schema: 'concert/session@1',
      session: sessionDocument(this.#options.state, session.value, this.#now()),
      screen: rows,
    });
  }

  async diff(id: string, patch: boolean): ReturnType<FleetPort['diff']> {
    const session = this.#session(id);
    if (!session.ok) return session;
    return await this.#options.workspaces.diff(session.value, patch);
  }

  async events(since: number, limit: number, session: string | null): Promise<EventsDocument> {
    const rows = await this.#options.journal.read(since, limit);
    const items = rows.map(eventDocument).filter((event) => session === null || event.session === session);
    return { schema: 'concert/events@1', items };
  }

  doctor(): ReturnType<FleetPort['doctor']> {
    return this.#options.doctor.examine();
  }

  async demo(
    action: 'start' | 'stop',
    env: Readonly<Record<string, string>>,
  ): Promise<Result<DoneDocument, ErrorCode>> {
    const { demo } = this.#options;
    return action === 'start' ? await demo.start(this, env) : await demo.stop(this);
  }

  trust(repository: string, hash: string | null): ReturnType<FleetPort['trust']> {
    return this.#options.workspaces.trust(repository, hash);
  }

  async agents(): ReturnType<FleetPort['agents']> {
    const detected = await this.#options.launches.detectAll();
    return detected.map(({ agent, detection }) => ({
      id: agent.id,
      title: agent.title,
      installed: detection.installed,
      version: detection.version,
      note: detection.note,
      simulated: agent.isSimulated,
    }));
  }

  stop(): void {
    this.#options.stop();
  }

  /** Waits for the folder's own verdict: git may refuse what the fleet allows. */
  async #remove(session: Session, force: boolean): Promise<Result<DoneDocument, ErrorCode>> {
    const { publisher, state } = this.#options;
    const outcome = new Promise<Result<DoneDocument, ErrorCode>>((resolve) => {
      const subscription = publisher.onEvent((event) => {
        if (event.session !== session.id) return;
        if (event.type === 'session.removed') {
          const backup = event.data['backupRef'];
          resolve(
            ok(
              done(
                session.id,
                typeof backup === 'string'
                  ? `Removed ${session.name}; its unmerged work is kept as ${backup}`
                  : `Removed ${session.name}`,
              ),
            ),
          );
        } else if (event.type === 'session.removalRefused') {
          resolve(refuse('git/unsafe-removal', String(event.data['message'])));
        } else return;
        subscription[Symbol.dispose]();
      });
    });
    const turn = await this.#submit({ type: 'session/remove', at: this.#now(), session: session.id, force });
    if (!turn.ok) return turn;
    assert(state.sessions.has(session.id) || turn.ok, 'A removal is reported by an event');
    return await outcome;
  }

  async #done(session: Session, message: string, command: Command): Promise<Result<DoneDocument, ErrorCode>> {
    const turn = await this.#submit(command);
    return turn.ok ? ok(done(session.id, `${message}: ${session.name}`)) : turn;
  }

  async #submit(command: Command): Promise<Result<null, ErrorCode>> {
    const writable = this.#mayChange();
    if (!writable.ok) return writable;
    const turn = await this.#options.loop.submit(command);
    return turn.refusal ?? ok(null);
  }

  #mayChange(): Result<null, ErrorCode> {
    const { publisher, loop } = this.#options;
    if (publisher.readOnly === null) return ok(null);
    if (loop.isHeldUp) return refuse('disk/full', `${publisher.readOnly}; nothing was changed, running sessions go on`);
    return refuse(
      'daemon/read-only',
      `The daemon only reads: ${publisher.readOnly}. Attaching works, running sessions go on`,
    );
  }

  #session(id: string): Result<Session, ErrorCode> {
    const session = this.#options.state.sessions.get(id);
    return session === undefined ? refuse('session/not-found', `No session "${plainLine(id, 40)}"`) : ok(session);
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function done(session: string | null, message: string): DoneDocument {
  return { schema: 'concert/done@1', session, message };
}

/** Links that lead nowhere or in circles, names too long, folders of others: whatever the reason, nothing can be started there. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function checkRequest(agent: Agent, request: TaskStart): Result<null, ErrorCode> {
  if (!isAbsolute(request.cwd) || request.cwd.includes('\0'))
    return refuse('request/invalid', 'The folder to work in must be a full path');
  if (!isFolder(request.cwd))
    return refuse(
      'request/invalid',
      `There is no folder "${plainLine(request.cwd, 200)}"`,
      'Give an existing folder with -r',
    );
  if (request.argv.some((argument) => argument.includes('\0')))
    return refuse('request/invalid', 'An argument holds a NUL byte, which no program can be given');
  if (request.argv.reduce((bytes, argument) => bytes + Buffer.byteLength(argument) + 1, 0) > argvBytesMax) {
    return refuse(
      'request/too-large',
      `The arguments are above ${argvBytesMax} bytes`,
      'Put the long text into a file or the prompt',
    );
  }
  if (!agent.abilities.prompts && request.argv.length === 0)
    return refuse(
      'request/invalid',
      `${agent.title} needs a command`,
      'concert run -a generic -- <program> <arguments>',
    );
  if (request.prompt.includes('\0')) return refuse('request/invalid', 'The prompt holds a NUL byte');
  return ok(null);
}
