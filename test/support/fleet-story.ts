import { assert } from '../../src/base/index.ts';
import {
  type Command,
  type Evidence,
  emptyFleet,
  Fleet,
  type ProcessFacts,
  type Report,
  type Session,
  type TaskSpec,
  type Turn,
} from '../../src/fleet/index.ts';
import type { SessionState } from '../../src/protocol/index.ts';

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;

/** Where stories begin, ms since the epoch. */
export const storyStart = Date.UTC(2026, 10, 23, 8);

export const plainSpec: Omit<TaskSpec, 'project'> = {
  title: 'Fix login',
  prompt: 'Fix the login',
  agent: 'demo',
  argv: [],
  priority: 'next',
  inPlace: false,
  cwd: '/repo',
  name: null,
  tab: null,
  columns: 120,
  rows: 40,
  simulated: true,
  can: { prompt: true, resume: true },
};

/** A fleet whose daemon has begun and looked around, told input by input as time goes by. */
export class FleetStory {
  readonly fleet: Fleet;
  at = storyStart;
  #epoch = 0;

  constructor(options: { slots?: number; fleet?: Fleet } = {}) {
    this.fleet = options.fleet ?? new Fleet(emptyFleet('host'));
    this.restart(options.slots ?? 4, []);
  }

  tell(input: WithoutTime<Command> | WithoutTime<Report>): Turn {
    return this.fleet.handle({ ...input, at: this.at });
  }

  wait(ms: number): this {
    this.at += ms;
    return this;
  }

  begin(slots = 4): Turn {
    this.#epoch++;
    return this.tell({ type: 'daemon/started', epoch: this.#epoch, pid: 1, version: '0', bootId: 'boot', slots });
  }

  look(channels: Extract<Report, { type: 'recovery/inventory' }>['channels']): Turn {
    return this.tell({ type: 'recovery/inventory', channels, bootId: 'boot' });
  }

  /** A new daemon that finds these channels. */
  restart(slots: number, channels: Extract<Report, { type: 'recovery/inventory' }>['channels']): Turn {
    this.begin(slots);
    return this.look(channels);
  }

  /** Task `t<n>` with session `s<n>`. */
  start(n: number, spec: Partial<Omit<TaskSpec, 'project'>> = {}): Turn {
    return this.tell({
      type: 'task/start',
      task: `t${n}`,
      session: `s${n}`,
      project: { id: 'p', root: '/repo', name: 'repo' },
      spec: { ...plainSpec, ...spec },
    });
  }

  makeWorktree(session: string): Turn {
    return this.tell({
      type: 'worktree/created',
      session,
      worktree: { path: `/w/${session}`, branch: `concert/${session}`, baseCommit: 'c', isOwned: true, notes: [] },
    });
  }

  makeProcess(session: string): Turn {
    const { incarnation } = this.session(session);
    return this.tell({ type: 'process/started', session, incarnation, process: processOf(incarnation), prompt: null });
  }

  /** From nothing to a process that has said what it does. */
  run(n: number, state: SessionState | null = 'ready', spec: Partial<Omit<TaskSpec, 'project'>> = {}): Session {
    this.start(n, spec);
    this.makeWorktree(`s${n}`);
    this.makeProcess(`s${n}`);
    if (state !== null) this.say(`s${n}`, { state });
    return this.session(`s${n}`);
  }

  say(session: string, evidence: Partial<Evidence>): Turn {
    const { incarnation } = this.session(session);
    const piece: Evidence = { source: 'osc7501', signal: 'status', at: this.at, confidence: 'sure', ...evidence };
    return this.tell({ type: 'session/evidence', session, incarnation, evidence: [piece] });
  }

  exit(session: string, code: number | null, signal: string | null = null): Turn {
    const { incarnation } = this.session(session);
    const exit = { code, signal, error: null, message: null };
    return this.tell({ type: 'process/exited', session, incarnation, exit });
  }

  session(id: string): Session {
    const session = this.fleet.state.sessions.get(id);
    assert(session !== undefined, `No session ${id} in this story`);
    return session;
  }
}

export function processOf(incarnation: number): ProcessFacts {
  return { holder: 'h', holderPid: 10, channel: 1, pid: 100 + incarnation, conversation: 'c' };
}

/** What a turn led to, without what every turn of its kind repeats. */
export function gist(turn: Turn): { events: string[]; effects: string[]; refusal: string | null } {
  return {
    events: turn.events.map((event) => ('to' in event ? `${event.type} ${event.to}` : event.type)),
    effects: turn.effects.map((effect) => ('signal' in effect ? `${effect.type} ${effect.signal}` : effect.type)),
    refusal: turn.refusal?.code ?? null,
  };
}
