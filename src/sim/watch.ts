import {
  emptyFleet,
  evolve,
  type FleetEvent,
  type FleetState,
  type Input,
  type JournalRow,
  queuedTasks,
  readSnapshot,
  type Session,
  type Task,
  type Turn,
  usedSlots,
  writeSnapshot,
} from '../fleet/index.ts';
import { durableText, firstDifference } from './durable-text.ts';
import type { InvariantName, Violation } from './invariants.ts';

const rank = { now: 0, next: 1, later: 2 };
const withProcess = new Set([
  'starting',
  'working',
  'blocked',
  'failed',
  'review',
  'ready',
  'parked',
  'paused',
  'unknown',
]);
const withoutProcess = new Set(['starting', 'failed', 'review', 'asleep', 'lost', 'done']);
/** Snapshots kept to replay from in the end. */
const snapshotsMax = 2;

/**
 * Holds its own, simpler account of what happened against the fleet's. The first thing that does not hold is kept; the
 * simulation then ends.
 */
export class Watch {
  violation: Violation | null = null;
  /** What the journal says, applied event by event as it is committed. */
  readonly shadow: FleetState;
  readonly #onDisk: JournalRow[] = [];
  readonly #accepted = new Set<string>();
  readonly #removalAsked = new Set<string>();
  readonly #stopAsked = new Set<string>();
  /** Processes that were to end because a person said so. */
  readonly #stopped = new Set<string>();
  /** Sessions whose last word a person has dealt with. */
  readonly #settled = new Set<string>();
  readonly #live = new Map<string, number>();
  readonly #cutByReboot = new Set<string>();
  readonly #startedOnce = new Set<string>();
  readonly #typedOnce = new Set<string>();
  /** Session each task was promised, to know it by once both are gone. */
  readonly #reservedFor = new Map<string, string>();
  #usedBefore = 0;
  #snapshots: { seq: number; state: string }[] = [];

  constructor(host: string) {
    this.shadow = emptyFleet(host);
  }

  fail(invariant: InvariantName, message: string): void {
    this.violation ??= { invariant, message };
  }

  expect(condition: boolean, invariant: InvariantName, message: () => string): void {
    if (!condition) this.fail(invariant, message());
  }

  spawned(session: string, incarnation: number): void {
    const key = `${session}/${incarnation}`;
    this.expect(!this.#startedOnce.has(key), 'one-start', () => `${key} is started a second time`);
    this.expect(!this.#live.has(session), 'one-process', () => `${key} starts while ${this.#live.get(session)} lives`);
    this.#startedOnce.add(key);
    this.#live.set(session, incarnation);
  }

  ended(session: string): void {
    this.#live.delete(session);
  }

  /** Everything that lives now dies with the machine. */
  rebooted(): void {
    for (const [session, incarnation] of this.#live) this.#cutByReboot.add(`${session}/${incarnation}`);
  }

  isSettled(session: string): boolean {
    return this.#settled.has(session);
  }

  get live(): ReadonlyMap<string, number> {
    return this.#live;
  }

  frame(epoch: number, highest: number, isAdmitted: boolean): void {
    this.expect(!isAdmitted || epoch >= highest, 'epoch-obeyed', () => `Epoch ${epoch} is obeyed after ${highest}`);
  }

  signalled(session: string, incarnation: number): void {
    const key = `${session}/${incarnation}`;
    this.expect(this.#stopped.has(key), 'spared', () => `${key} is signalled and nobody asked`);
  }

  typed(message: string): void {
    this.expect(!this.#typedOnce.has(message), 'message-once', () => `Message ${message} is typed twice`);
    this.#typedOnce.add(message);
  }

  worktreeRemoved(session: string): void {
    this.expect(
      !this.#live.has(session),
      'removal-safe',
      () => `The worktree of ${session} goes while its agent lives`,
    );
  }

  asked(input: Input): void {
    if (input.type === 'task/remove') this.#removalAsked.add(input.task);
    if (input.type === 'session/remove') this.#removalAsked.add(input.session);
    if (input.type === 'session/stop') this.#stopAsked.add(input.session);
  }

  answered(input: Input, turn: Turn): void {
    if (turn.refusal !== null) return;
    this.#expectDurable(turn, `the answer to ${input.type}`);
    if (input.type === 'task/start') this.#accepted.add(input.task);
  }

  released(turn: Turn): void {
    this.#expectDurable(turn, 'what is shown');
  }

  /** A daemon begins with this state. */
  restored(state: FleetState): void {
    this.#expectSame(durableText(state), durableText(this.shadow), 'A restart');
    this.expectTasks(state);
  }

  /** A daemon that has nothing under way knows this state. */
  settled(state: FleetState): void {
    this.#expectSame(durableText(state), durableText(this.shadow), 'The state lived');
  }

  expectTasks(state: FleetState): void {
    for (const id of this.#accepted) {
      const task = state.tasks.get(id);
      const isThere = task !== undefined && (task.session === null || state.sessions.has(task.session));
      if (isThere || this.#removalAsked.has(id)) continue;
      if (task !== undefined && task.session !== null && this.#removalAsked.has(task.session)) continue;
      if (task === undefined && this.#removalAsked.has(this.#reservedFor.get(id) ?? '')) continue;
      this.fail('task-kept', `Task ${id} was accepted and is gone`);
    }
  }

  committed(rows: readonly JournalRow[]): void {
    for (const row of rows) {
      try {
        this.#before(row.event, row.at);
        evolve(this.shadow, row.event, row.at);
        this.#after(row.event);
      } catch (error) {
        this.fail('no-assertion', `${(error as Error).message}, at ${JSON.stringify(row.event)}`);
      }
      this.#onDisk.push(row);
    }
  }

  snapshotted(seq: number, state: string): void {
    const read = readSnapshot(state);
    this.expect(
      read !== null && writeSnapshot(read) === state,
      'replay',
      () => `Snapshot ${seq} does not survive reading`,
    );
    this.#snapshots = [...this.#snapshots, { seq, state }].slice(-snapshotsMax);
  }

  /** Replays the texts on disk from the beginning and from each kept snapshot. */
  expectReplays(texts: readonly string[], host: string): void {
    const lived = durableText(this.shadow);
    const rows: JournalRow[] = texts.map((text) => JSON.parse(text));
    this.#expectSame(durableText(replay(emptyFleet(host), rows)), lived, 'A replay of everything');
    for (const { seq, state } of this.#snapshots) {
      const from = readSnapshot(state);
      if (from !== null) this.#expectSame(durableText(replay(from, rows.slice(seq))), lived, `A replay from ${seq}`);
    }
  }

  #expectDurable(turn: Turn, what: string): void {
    for (const row of turn.rows) {
      const kept = this.#onDisk[row.seq - 1];
      this.expect(
        kept === row,
        'acked-durable',
        () => `Event ${row.seq} (${row.event.type}) is not on disk for ${what}`,
      );
    }
  }

  #expectSame(actual: string, expected: string, what: string): void {
    this.expect(
      actual === expected,
      'replay',
      () => `${what} is not what is on record: ${firstDifference(actual, expected)}`,
    );
  }

  /** What must be true of the recorded state for this event to happen. */
  #before(event: FleetEvent, at: number): void {
    const { shadow } = this;
    this.expect(at >= shadow.at, 'tokens-rise', () => `${event.type} at ${at} follows one at ${shadow.at}`);
    const session = 'session' in event && event.session !== null ? shadow.sessions.get(event.session) : undefined;
    switch (event.type) {
      case 'daemon.started':
        return this.expect(
          event.epoch > shadow.epoch,
          'tokens-rise',
          () => `Epoch ${event.epoch} after ${shadow.epoch}`,
        );
      case 'task.added':
        this.#reservedFor.set(event.task, event.session);
        return this.expect(!shadow.tasks.has(event.task), 'task-kept', () => `Task ${event.task} is added twice`);
      case 'task.claimed':
        return this.#expectFirst(event.task);
      case 'task.removed':
        return this.expect(
          this.#removalAsked.has(event.task),
          'task-kept',
          () => `Nobody asked to remove ${event.task}`,
        );
      case 'session.launchRequested':
        this.expect(
          session?.process === null && session.launching === null,
          'one-process',
          () => `${event.session} is launched while it runs`,
        );
        this.expect(session?.removing === null, 'removal-safe', () => `${event.session} is launched while it goes`);
        return this.expect(
          event.incarnation === (session?.incarnation ?? 0) + 1,
          'tokens-rise',
          () => `Incarnation ${event.incarnation} after ${session?.incarnation}`,
        );
      case 'session.removalRequested':
      case 'session.removed':
        return this.expect(
          session !== undefined &&
            session.process === null &&
            session.launching === null &&
            this.#removalAsked.has(session.id),
          'removal-safe',
          () => `${event.type} of ${event.session} while it is ${session?.state}`,
        );
      case 'session.stopRequested': {
        const key = `${event.session}/${session?.incarnation}`;
        const isAsked = event.by === 'person' ? this.#stopAsked.has(event.session) : this.#stopped.has(key);
        this.#stopped.add(key);
        return this.expect(isAsked, 'spared', () => `${key} is stopped by the ${event.by} and nobody asked`);
      }
      case 'session.processExited':
        return this.#expectRuns(session, event.type);
      case 'session.processLost':
        this.#expectRuns(session, event.type);
        return this.expect(
          event.cause === 'reboot' ||
            session?.process === null ||
            !this.#cutByReboot.has(`${event.session}/${event.incarnation}`),
          'loss-told',
          () => `${event.session} was cut by a reboot and is told as ${event.cause}`,
        );
      case 'session.settled':
        this.#settled.add(event.session);
        return;
      case 'session.stateChanged':
        if (event.to !== 'ready') this.#settled.delete(event.session);
        return;
      case 'message.sent':
        return this.#expectMayTake(session, event.message);
      default:
    }
  }

  #expectFirst(id: string): void {
    const { tasks } = this.shadow;
    const task = tasks.get(id);
    if (task === undefined) return this.fail('task-kept', `Task ${id} is claimed and unknown`);
    let isAfter = false;
    for (const other of tasks.values()) {
      if (other === task) isAfter = true;
      else if (isWaiting(other) && rank[other.spec.priority] - rank[task.spec.priority] < (isAfter ? 0 : 1)) {
        return this.fail('queue-order', `Task ${id} starts before ${other.id}`);
      }
    }
  }

  #expectRuns(session: Session | undefined, what: string): void {
    const runs = session !== undefined && (session.process !== null || session.launching !== null);
    this.expect(runs, 'ends-once', () => `${what} of ${session?.id}, which is ${session?.state} and has no process`);
  }

  #expectMayTake(session: Session | undefined, id: string): void {
    const message = session?.messages.find((waiting) => waiting.id === id);
    if (session === undefined || message === undefined) return this.fail('message-once', `Message ${id} does not wait`);
    const { process, held, stopping, state } = session;
    const prompts = this.shadow.tasks.get(session.task)?.spec.can.prompt === true;
    const isFree = !prompts || state === 'ready' || state === 'review' || (state === 'working' && message.steer);
    this.expect(
      process !== null && !held && stopping === null && state !== 'blocked' && isFree,
      'message-allowed',
      () =>
        `Message ${id} goes to ${session.id}, which is ${state}${held ? ', held' : ''}${stopping ? ', stopping' : ''}`,
    );
  }

  /** What must be true of the recorded state after this event. */
  #after(event: FleetEvent): void {
    const { shadow } = this;
    const used = usedSlots(shadow);
    this.expect(
      used <= this.#usedBefore || used <= shadow.slots,
      'slots',
      () => `${event.type} makes ${used} of ${shadow.slots} slots used`,
    );
    this.#usedBefore = used;
    if (event.type === 'session.created' || event.type === 'session.renamed' || event.type === 'session.tabChanged') {
      this.#expectUnique();
    }
  }

  /** Between turns: every session is in a state that fits what it has. */
  expectOwners(state: FleetState): void {
    for (const session of state.sessions.values()) {
      const fits = session.process === null ? withoutProcess : withProcess;
      const isConsistent =
        fits.has(session.state) &&
        (session.launching === null || (session.state === 'starting' && session.process === null)) &&
        (!session.deep || session.state === 'working') &&
        (!session.held || session.process !== null) &&
        (session.removing === null || (session.process === null && session.state !== 'starting'));
      this.expect(
        isConsistent,
        'owner',
        () => `Session does not fit: ${JSON.stringify({ ...session, evidenceLog: [] })}`,
      );
    }
  }

  /** Every live process has a session that knows it. */
  expectKnown(state: FleetState): void {
    for (const [id, incarnation] of this.#live) {
      const known = state.sessions.get(id);
      const knows = known?.incarnation === incarnation && (known.process !== null || known.launching !== null);
      this.expect(knows, 'known-process', () => `Nobody knows the process of ${id}/${incarnation}: ${known?.state}`);
    }
  }

  #expectUnique(): void {
    const taken = new Set<string>();
    for (const { name, slug, tab } of this.shadow.sessions.values()) {
      for (const thing of [`name ${name}`, `branch ${slug}`, ...(tab === null ? [] : [`tab ${tab}`])]) {
        this.expect(!taken.has(thing), 'unique', () => `Two sessions have ${thing}`);
        taken.add(thing);
      }
    }
  }

  /** Nothing waits that could go on. */
  expectProgress(state: FleetState): void {
    const waiting = queuedTasks(state)[0];
    this.expect(
      waiting === undefined || usedSlots(state) >= state.slots,
      'no-starving',
      () => `Task ${waiting?.id} waits with ${usedSlots(state)} of ${state.slots} slots used`,
    );
    for (const session of state.sessions.values()) {
      const takes =
        session.process !== null && !session.held && (session.state === 'ready' || session.state === 'review');
      this.expect(
        !takes || session.messages.length === 0,
        'no-starving',
        () => `${session.id} is ${session.state} and ${session.messages.length} messages wait`,
      );
    }
  }
}

/** The state after these rows. */
export function replay(state: FleetState, rows: readonly JournalRow[]): FleetState {
  for (const { event, at } of rows) evolve(state, event, at);
  return state;
}

function isWaiting(task: Task): boolean {
  return task.session === null && task.outcome === null;
}
