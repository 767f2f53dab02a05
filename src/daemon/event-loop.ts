import { type BackoffOptions, backoffMs, type Clock, type Log } from '../base/index.ts';
import type { Effect, Fleet, FleetEvent, Input, Journal, JournalBatch, Turn } from '../fleet/index.ts';

/** Retries of a journal that cannot be written, such as on a full disk. */
const retry: BackoffOptions = { firstMs: 100, maxMs: 5_000 };

export interface EventLoopOptions {
  fleet: Fleet;
  journal: Journal;
  /** Runs one effect; called only when the events that ask for it are durable. Must not throw. */
  run(effect: Effect): void;
  /** Draws at once what a turn changed, and gives back how to show it; that is called in order once the turn is durable. */
  prepare(turn: Turn): () => void;
  /** The journal cannot be written for now (a sentence), or again can (null). */
  onTrouble(message: string | null): void;
  /** The journal belongs to a later daemon: this one must end at once. */
  onFenced(message: string): void;
}

interface Waiting {
  turn: Turn;
  show: () => void;
  settle: (turn: Turn) => void;
}

/**
 * Takes inputs one at a time, lets the heart decide, and holds back everything that follows until it is durable: effects,
 * answers and what clients see. While one batch is being written the next gathers, so that one sync covers many inputs.
 *
 * When writing fails the batch is kept and tried again; nothing of it is shown or done meanwhile, and `isHeldUp` tells
 * the edge to refuse new commands.
 */
export class EventLoop implements Disposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: EventLoopOptions;
  #gathering: Waiting[] = [];
  #writing: Promise<void> | null = null;
  /** What was only to be shown, set aside while nothing can be written; by kind and subject. */
  readonly #aside = new Map<string, FleetEvent>();
  #isReleasing = false;
  #wake: Disposable | null = null;
  #wakeAt: number | null = null;
  #isClosed = false;
  #trouble: string | null = null;
  #idle: (() => void)[] = [];

  constructor(ports: { clock: Clock; log: Log }, options: EventLoopOptions) {
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#options = options;
  }

  get isHeldUp(): boolean {
    return this.#trouble !== null;
  }

  /** Everything handed in is durable and shown: what the fleet knows now is on record. */
  get isSettled(): boolean {
    return this.#writing === null && !this.#isReleasing && this.#gathering.length === 0 && this.#aside.size === 0;
  }

  /** Resolves when what the input led to is durable; at once with a refusal. Never resolves once the loop is closed. */
  submit(input: Input): Promise<Turn> {
    return new Promise((settle) => {
      if (this.#isClosed) return;
      const turn = this.#options.fleet.handle(input);
      if (turn.refusal !== null) return settle(turn);
      this.#gather(turn, settle);
      this.#scheduleWake();
    });
  }

  /** For reports nobody waits for. */
  report(input: Input): void {
    if (this.#isClosed) return;
    const turn = this.#options.fleet.handle(input);
    if (turn.refusal !== null) return;
    if (this.#trouble !== null && turn.rows.length === 0 && turn.effects.length === 0) this.#setAside(turn);
    else this.#gather(turn, () => {});
    this.#scheduleWake();
  }

  /** Resolves when nothing waits to be written. */
  settled(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#wake?.[Symbol.dispose]();
    this.#wake = null;
  }

  #gather(turn: Turn, settle: (turn: Turn) => void): void {
    this.#gathering.push({ turn, show: this.#options.prepare(turn), settle });
    this.#flush();
  }

  /** While nothing can be written only the last of each kind is kept of what is merely to be shown, however long that lasts. */
  #setAside({ events }: Turn): void {
    for (const event of events) {
      const subject = 'session' in event ? event.session : 'holder' in event ? event.holder : '';
      this.#aside.set(`${event.type} ${subject}`, event);
    }
  }

  #flush(): void {
    if (this.#writing !== null || this.#isReleasing) return;
    while (this.#gathering.length > 0) {
      const batch = this.#gathering;
      this.#gathering = [];
      if (batch.some(({ turn }) => turn.rows.length > 0)) return this.#startWriting(batch);
      this.#release(batch);
    }
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #startWriting(batch: Waiting[]): void {
    this.#writing = this.#write(batch).finally(() => {
      this.#writing = null;
      if (!this.#isClosed) this.#flush();
    });
  }

  async #write(batch: Waiting[]): Promise<void> {
    const rows: JournalBatch = {
      epoch: this.#options.fleet.state.epoch,
      rows: batch.flatMap(({ turn }) => turn.rows),
      steps: batch.flatMap(({ turn }) => turn.steps),
    };
    for (let attempt = 0; !this.#isClosed; attempt++) {
      try {
        await this.#options.journal.append(rows);
        break;
      } catch (cause) {
        const { code, message } = cause as { code?: string; message: string };
        if (code === 'journal/fenced') {
          this[Symbol.dispose]();
          return this.#options.onFenced(message);
        }
        this.#setTrouble(message);
        this.#log.error('Journal cannot be written', { message, attempt });
        await new Promise<void>((resolve) => this.#clock.after(backoffMs(retry, attempt, 0.5), resolve));
      }
    }
    if (this.#isClosed) return;
    this.#setTrouble(null);
    this.#release(batch);
  }

  /** What comes in meanwhile is taken afterwards: nothing is shown before what happened earlier. */
  #release(batch: readonly Waiting[]): void {
    this.#isReleasing = true;
    for (const { turn, show, settle } of batch) {
      show();
      for (const effect of turn.effects) this.#options.run(effect);
      settle(turn);
    }
    this.#isReleasing = false;
  }

  #setTrouble(message: string | null): void {
    if (this.#trouble === message) return;
    this.#trouble = message;
    this.#options.onTrouble(message);
    if (message !== null || this.#aside.size === 0) return;
    const turn: Turn = { rows: [], steps: [], events: [...this.#aside.values()], effects: [], refusal: null };
    this.#aside.clear();
    this.#gathering.push({ turn, show: this.#options.prepare(turn), settle: () => {} });
  }

  #scheduleWake(): void {
    const at = this.#options.fleet.nextWakeAt();
    if (at === this.#wakeAt) return;
    this.#wake?.[Symbol.dispose]();
    this.#wakeAt = at;
    if (at === null) return;
    const delay = Math.min(2 ** 31 - 1, Math.max(1, at - this.#clock.now()));
    this.#wake = this.#clock.after(delay, () => {
      this.#wakeAt = null;
      this.report({ type: 'tick', at: this.#clock.now() });
    });
  }
}
