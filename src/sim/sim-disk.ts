import { assert } from '../base/index.ts';
import type { CoordinationStep, Journal, JournalBatch, JournalRow, OpenedJournal } from '../fleet/index.ts';
import type { SimRandom } from './sim-random.ts';
import type { Timeline } from './timeline.ts';

/** The disk said no, by the codes of the real store. */
class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface ClaimRow {
  owner: string;
  token: number;
  isDone: boolean;
}

export interface SimDiskOptions {
  timeline: Timeline;
  random: SimRandom;
  /** Told of each durable batch, before the one who wrote it learns of it. */
  onCommit(rows: readonly JournalRow[], texts: readonly string[], epoch: number): void;
  onSnapshot(seq: number, state: string): void;
}

/**
 * The one journal of a simulated host, with the rules of the real store: batches are all or nothing, an epoch or a claim
 * that is no longer current is fenced, a batch whose first answer was lost counts once. Rows are kept as text, so that
 * what does not survive JSON does not survive a restart either.
 */
export class SimDisk {
  /** Writing fails until the disk has room again. */
  isFull = false;
  /** Each write takes at most this long, ms. */
  latencyMaxMs = 4;
  /** How often a write fails after it took place all the same. */
  lostAnswerChance = 0;
  #texts: string[] = [];
  #epoch = 0;
  #snapshot: { seq: number; state: string } | null = null;
  readonly #claims = new Map<string, ClaimRow>();
  readonly #options: SimDiskOptions;

  constructor(options: SimDiskOptions) {
    this.#options = options;
  }

  get texts(): readonly string[] {
    return this.#texts;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** `isLost` says whether the writer is gone: what is still under way then may reach the disk or not. */
  open(isLost: () => boolean): OpenedJournal {
    const snapshot = this.#snapshot;
    return {
      journal: this.#openFor(isLost),
      snapshot,
      rows: this.#texts.slice(snapshot?.seq ?? 0).map((text) => JSON.parse(text)),
      epoch: this.#epoch,
      condition: { kind: 'sound' },
    };
  }

  #openFor(isLost: () => boolean): Journal {
    const { timeline, random } = this.#options;
    let lastDoneAt = 0;
    const inTurn = (what: string, act: () => void) =>
      new Promise<void>((resolve, reject) => {
        lastDoneAt = Math.max(lastDoneAt, timeline.monotonic() + random.int(1, this.latencyMaxMs));
        timeline.schedule(lastDoneAt - timeline.monotonic(), what, () => {
          if (isLost() && random.chance(0.5)) return;
          try {
            act();
            resolve();
          } catch (error) {
            if (!(error instanceof DiskError)) throw error;
            reject(error);
          }
        });
      });
    return {
      append: (batch) => inTurn('disk append', () => this.#append(batch)),
      read: async (afterSeq, limit) => this.#texts.slice(afterSeq, afterSeq + limit).map((text) => JSON.parse(text)),
      writeSnapshot: (seq, state) => inTurn('disk snapshot', () => this.#writeSnapshot(seq, state)),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  #append({ epoch, rows, steps }: JournalBatch): void {
    if (epoch < this.#epoch) throw new DiskError('journal/fenced', `Epoch ${this.#epoch} has taken over from ${epoch}`);
    if (this.isFull) throw new DiskError('disk/full', 'The disk is full');
    const texts = rows.map((row) => JSON.stringify(row));
    const first = rows[0]?.seq ?? this.#texts.length + 1;
    assert(first <= this.#texts.length + 1, `Event ${first} cannot follow event ${this.#texts.length}`);
    if (first <= this.#texts.length) {
      const isSame = texts.every((text, index) => this.#texts[first - 1 + index] === text);
      if (!isSame) throw new DiskError('journal/fenced', `Another daemon wrote after event ${first - 1}`);
      return;
    }
    this.#apply(steps);
    this.#epoch = epoch;
    this.#texts.push(...texts);
    this.#options.onCommit(rows, texts, epoch);
    if (this.#options.random.chance(this.lostAnswerChance)) throw new DiskError('disk/failing', 'The answer was lost');
  }

  /** All steps or none, as in a transaction. */
  #apply(steps: readonly CoordinationStep[]): void {
    const before = new Map<string, ClaimRow | undefined>();
    for (const step of steps) {
      const row = this.#claims.get(step.task);
      if (!before.has(step.task)) before.set(step.task, row);
      const next = nextClaim(row, step);
      if (next === null) {
        for (const [task, old] of before) {
          if (old === undefined) this.#claims.delete(task);
          else this.#claims.set(task, old);
        }
        throw new DiskError('journal/fenced', `Cannot ${step.type} task "${step.task}": its token is not current`);
      }
      this.#claims.set(step.task, next);
    }
  }

  #writeSnapshot(seq: number, state: string): void {
    if (this.isFull) throw new DiskError('disk/full', 'The disk is full');
    assert(seq <= this.#texts.length, `A snapshot at event ${seq} is ahead of the journal`);
    this.#snapshot = { seq, state };
    this.#options.onSnapshot(seq, state);
  }
}

function nextClaim(row: ClaimRow | undefined, step: CoordinationStep): ClaimRow | null {
  if (step.type === 'enqueue') return row ?? { owner: '', token: 0, isDone: false };
  if (row === undefined || row.isDone) return null;
  const { owner, token } = step;
  if (step.type === 'claim') return token > row.token ? { owner, token, isDone: false } : null;
  if (row.owner !== owner || row.token !== token) return null;
  return { owner: step.type === 'release' ? '' : owner, token, isDone: step.type === 'commit' };
}
