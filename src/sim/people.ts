import type { Command, TaskSpec } from '../fleet/index.ts';
import type { SessionDocument } from '../protocol/index.ts';
import type { SimDaemon } from './sim-daemon.ts';
import type { SimMachine } from './sim-machine.ts';
import type { SimRandom } from './sim-random.ts';

/** Tasks asked for beyond this wait for others to end, so that histories are about more than a long queue. */
const openTasksMax = 24;

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;
type Wish = WithoutTime<Command>;

/** People at several devices who see what clients see, which may be old, and ask for sensible and senseless things. */
export class People {
  readonly #random: SimRandom;
  readonly #machine: SimMachine;
  readonly #canResume: boolean;

  constructor(ports: { random: SimRandom; machine: SimMachine }) {
    this.#random = ports.random;
    this.#machine = ports.machine;
    this.#canResume = this.#random.chance(0.9);
  }

  /** One act. Says what was done, for the history. */
  act(daemon: SimDaemon): string {
    const random = this.#random;
    if (random.chance(0.15)) return this.#answerDialog();
    const wish = this.#wish(daemon);
    if (wish === null) return 'nothing';
    const command = { ...wish, at: daemon.now() } as Command;
    const times = wish.type !== 'session/send' && random.chance(0.06) ? 2 : 1;
    let how = '';
    for (let i = 0; i < times; i++) how = daemon.ask(command);
    return `${JSON.stringify(wish)} ${how}${times > 1 ? ' twice' : ''}`;
  }

  /** Ends half of what runs and wakes some of what does not. */
  tidyUp(daemon: SimDaemon): void {
    for (const { id, state } of seenBy(daemon)) {
      const type = state === 'lost' || state === 'asleep' || state === 'failed' ? 'session/resume' : 'session/stop';
      if (this.#random.chance(0.5)) daemon.ask({ type, at: daemon.now(), session: id });
    }
  }

  #answerDialog(): string {
    const blocked = [...this.#machine.liveChannels()].filter(({ channel }) => channel.agent?.state === 'blocked');
    if (blocked.length === 0) return 'nothing';
    const { channel } = this.#random.pick(blocked);
    channel.agent?.answer();
    return `answers ${channel.session}`;
  }

  #wish(daemon: SimDaemon): Wish | null {
    const random = this.#random;
    const sessions = seenBy(daemon);
    const session = random.chance(0.04) || sessions.length === 0 ? 's_nobody' : random.pick(sessions).id;
    const kind = random.weighted({
      start: 30,
      removeTask: 4,
      stop: 10,
      resume: 12,
      pause: 5,
      settle: 8,
      rename: 5,
      tab: 6,
      send: 16,
      remove: 9,
      drive: 6,
    });
    switch (kind) {
      case 'start':
        return sessions.length + daemon.publisher.snapshot().documents.length < 2 * openTasksMax ? this.#start() : null;
      case 'removeTask': {
        const queued = daemon.publisher.snapshot().documents.filter(({ kind }) => kind === 'queued');
        return { type: 'task/remove', task: queued.length > 0 ? random.pick(queued).key : 't_nobody' };
      }
      case 'stop':
        return { type: 'session/stop', session };
      case 'resume':
        return { type: 'session/resume', session };
      case 'pause':
        return { type: 'session/pause', session };
      case 'settle':
        return { type: 'session/settle', session };
      case 'rename':
        return { type: 'session/rename', session, name: this.#name() };
      case 'tab':
        return { type: 'session/bind-tab', session, tab: random.pick([null, 1, 2, 3, 9, 10, 1.5]) };
      case 'send': {
        const message = `m_${random.id(8)}`;
        return { type: 'session/send', session, message, text: 'go on', now: random.chance(0.3) };
      }
      case 'remove':
        return { type: 'session/remove', session, force: random.chance(0.5) };
      case 'drive': {
        const devices = ['desk', 'phone', 'web', null];
        return {
          type: 'session/drive',
          session,
          device: random.pick(devices),
          from: random.pick(devices),
          take: random.chance(0.4),
        };
      }
    }
  }

  #start(): Wish {
    const random = this.#random;
    const prompts = random.chance(0.75);
    const spec: Omit<TaskSpec, 'project'> = {
      title: random.pick(['Fix login', 'Write the docs', 'Überprüfe 漢字', '7', '']),
      prompt: prompts ? 'do it'.padEnd(random.int(5, 8), '!') : '',
      agent: prompts ? 'demo' : 'generic',
      argv: [],
      priority: random.weighted({ now: 1, next: 6, later: 2 }),
      inPlace: false,
      cwd: '/repo',
      name: random.chance(0.3) ? this.#name() : null,
      tab: random.pick(['auto', 'auto', null, 1, 4]),
      columns: 120,
      rows: 40,
      simulated: true,
      can: { prompt: prompts, resume: prompts && this.#canResume },
    };
    const root = random.pick(['/repo', '/other']);
    return {
      type: 'task/start',
      task: `t_${random.id(8)}`,
      session: `s_${random.id(8)}`,
      project: { id: `p_${random.id(8)}`, root, name: root.slice(1) },
      spec,
    };
  }

  #name(): string {
    return this.#random.pick(['fix-login', 'docs', 'a b', '12', '', '\u202egpj', 'x'.repeat(60), 'näher']);
  }
}

function seenBy(daemon: SimDaemon): SessionDocument[] {
  const seen: SessionDocument[] = [];
  for (const keyed of daemon.publisher.snapshot().documents) if (keyed.kind === 'session') seen.push(keyed.document);
  return seen;
}
