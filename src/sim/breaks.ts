import {
  type DurableEvent,
  type Effect,
  evolve,
  Fleet,
  type FleetState,
  type Input,
  type Journal,
  queuedTasks,
  type Turn,
} from '../fleet/index.ts';
import type { Bend } from './bend.ts';
import type { InvariantName } from './invariants.ts';

/** For each invariant one way to break it, as a bug might. */
export const breaks: Record<InvariantName, Bend> = {
  'no-assertion': bendTurns({
    before: (_, input) => {
      if (input.type === 'session/settle') throw new Error('A bug of ours');
      return input;
    },
  }),
  'acked-durable': {
    journal: (journal) =>
      withJournal(journal, {
        append: (batch) => {
          journal.append(batch).catch(() => {
            // The caller has long been told that all is well.
          });
          return Promise.resolve();
        },
      }),
  },
  'task-kept': bendTurns({
    after: (state, input, happen) => {
      const [first, ...others] = queuedTasks(state);
      if (input.type === 'task/start' && first && others.length > 2) happen({ type: 'task.removed', task: first.id });
    },
  }),
  'one-process': {
    effects: (effect) =>
      effect.type === 'session/launch' ? [effect, { ...effect, incarnation: effect.incarnation + 1_000 }] : [effect],
  },
  'one-start': {
    startsBlindly: true,
    effects: (effect) => (effect.type === 'session/launch' ? [effect, effect] : [effect]),
  },
  'ends-once': bendTurns({
    after: (state, input, happen) => {
      if (input.type !== 'process/exited' || !state.sessions.has(input.session)) return;
      const { session, incarnation, exit } = input;
      happen({ type: 'session.processExited', session, incarnation, exit });
    },
  }),
  'known-process': { inventory: ([, ...others]) => others },
  slots: bendTurns({
    around: (state, handle) => {
      const { slots } = state;
      state.slots = slots + 2;
      const turn = handle();
      state.slots = turn.events.some(({ type }) => type === 'daemon.started') ? state.slots : slots;
      return turn;
    },
  }),
  'queue-order': bendTurns({
    around: (state, handle) => {
      const waiting = queuedTasks(state);
      for (const task of waiting) state.tasks.set(task.id, { ...task, spec: { ...task.spec, priority: 'next' } });
      const turn = handle();
      for (const task of waiting) if (state.tasks.get(task.id)?.session === null) state.tasks.set(task.id, task);
      return turn;
    },
  }),
  'tokens-rise': { clock: (clock) => clock },
  'epoch-obeyed': {
    machine: (machine) => {
      machine.ignoresEpochs = true;
    },
  },
  replay: {
    journal: (journal) =>
      withJournal(journal, {
        writeSnapshot: (seq, state) => {
          const kept = JSON.parse(state) as { tasks: { session: string | null }[] };
          kept.tasks = kept.tasks.filter(({ session }) => session !== null);
          return journal.writeSnapshot(seq, JSON.stringify(kept));
        },
      }),
  },
  published: { showsEarly: true },
  'message-once': { effects: (effect) => (effect.type === 'message/type' ? [effect, effect] : [effect]) },
  'message-allowed': bendTurns({
    after: (state, _, happen) => {
      for (const { id, state: what, messages } of state.sessions.values()) {
        const message = messages[0];
        if (what === 'blocked' && message) happen({ type: 'message.sent', session: id, message: message.id });
      }
    },
  }),
  'stop-ends': { effects: (effect) => (isSignal(effect, 'SIGKILL') ? [] : [effect]) },
  spared: bendTurns({
    after: (state, input, _, turn) => {
      if (input.type !== 'recovery/inventory') return;
      for (const { id, incarnation, process } of state.sessions.values()) {
        if (process !== null)
          turn.effects.push({ type: 'process/signal', session: id, incarnation, signal: 'SIGTERM' });
      }
    },
  }),
  'removal-safe': {
    effects: (effect) =>
      isSignal(effect, 'SIGTERM')
        ? [effect, { type: 'worktree/remove', session: (effect as { session: string }).session, force: true }]
        : [effect],
  },
  owner: bendTurns({
    after: (state, input, happen) => {
      const session = input.type === 'session/pause' ? state.sessions.get(input.session) : undefined;
      if (!session?.held) return;
      const evidence = { ...session.evidence, state: 'asleep' } as const;
      happen({ type: 'session.stateChanged', session: session.id, from: session.state, to: 'asleep', evidence });
    },
  }),
  'loss-told': bendTurns({
    before: (state, input) => (input.type === 'recovery/inventory' ? { ...input, bootId: state.bootId } : input),
  }),
  unique: bendTurns({
    after: (state, input, happen) => {
      if (input.type !== 'session/bind-tab' || input.tab === null) return;
      for (const { id, tab } of state.sessions.values()) {
        if (tab === null) return happen({ type: 'session.tabChanged', session: id, tab: input.tab });
      }
    },
  }),
  'no-starving': bendTurns({
    around: (state, handle, input) => {
      const wasResting = state.isResting;
      state.isResting ||= input.type === 'process/exited';
      const turn = handle();
      if (input.type === 'process/exited') state.isResting = wasResting;
      return turn;
    },
  }),
  quiet: { effects: (effect) => (effect.type === 'worktree/create' && effect.session < 's_k' ? [] : [effect]) },
  truth: bendTurns({
    before: (_, input) =>
      input.type === 'session/evidence'
        ? { ...input, evidence: input.evidence.map((piece) => ({ ...piece, source: 'server', confidence: 'sure' })) }
        : input,
  }),
  forgotten: { effects: (effect) => (effect.type === 'session/forget' ? [] : [effect]) },
};

interface TurnBend {
  before?(state: FleetState, input: Input): Input;
  around?(state: FleetState, handle: () => Turn, input: Input): Turn;
  /** `happen` makes one more thing true, as if the fleet had decided it. */
  after?(state: FleetState, input: Input, happen: (event: DurableEvent) => void, turn: Turn): void;
}

function bendTurns({ before, around, after }: TurnBend): Bend {
  return { fleet: (state) => new BentFleet(state, { before, around, after } as TurnBend) };
}

class BentFleet extends Fleet {
  readonly #bend: TurnBend;

  constructor(state: FleetState, bend: TurnBend) {
    super(state);
    this.#bend = bend;
  }

  override handle(asked: Input): Turn {
    const { before, around, after } = this.#bend;
    const input = before?.(this.state, asked) ?? asked;
    const handle = () => super.handle(input);
    const turn = around?.(this.state, handle, input) ?? handle();
    if (turn.refusal !== null || this.state.isResting) return turn;
    const happen = (event: DurableEvent) => {
      evolve(this.state, event, input.at);
      turn.events.push(event);
      turn.rows.push({ seq: this.state.seq, at: input.at, host: this.state.host, event });
    };
    after?.(this.state, input, happen, turn);
    return turn;
  }
}

function withJournal(journal: Journal, changed: Partial<Journal>): Journal {
  return {
    append: (batch) => journal.append(batch),
    read: (afterSeq, limit) => journal.read(afterSeq, limit),
    writeSnapshot: (seq, state) => journal.writeSnapshot(seq, state),
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
    ...changed,
  };
}

function isSignal(effect: Effect, name: string): boolean {
  return effect.type === 'process/signal' && effect.signal === name;
}
