import { Worker } from 'node:worker_threads';
import { AssertionError, assert, type Clock, Emitter, type Event } from '../base/index.ts';
import type { Journal, JournalBatch, JournalRow, OpenedJournal } from '../fleet/index.ts';
import type { CoordinationAnswer, CoordinationCalls, CoordinationRequest } from './claim-book.ts';
import { checkJournalPages, type JournalPlace } from './journal-care.ts';
import type { SpaceNotice } from './journal-file.ts';
import {
  fromWire,
  type JournalRequest,
  type JournalWorkerData,
  type OpeningAnswer,
  type TurnAnswer,
  type WireOutcome,
} from './journal-wire.ts';
import { decodeRow, type EncodedRow, encodeRow } from './row-hash.ts';
import { StoreError } from './store-error.ts';

/** `drained` waits above this many bytes of unwritten events: seconds of work for a slow disk. */
export const congestedBytes = 4 * 1024 * 1024;

/** `append` refuses above this, with `daemon/overloaded`: only a caller that never waits for `drained` gets here. */
export const waitingBytesMax = 16 * 1024 * 1024;

/** Rows answered to one `read`, so that it holds up commits for at most some tens of ms. */
const readRowsMax = 10_000;

/** Log folding and the disk reserve, in ms: first when the start is over, then now and then. */
const firstUpkeepMs = 1_000;
const upkeepMs = 60_000;

/** Counted for each row beside its text. */
const rowBytes = 200;

export interface JournalOptions extends JournalPlace {
  clock: Clock;
  /** Disk space kept aside for the moment the disk is full; 0 keeps none. Default 16 MiB. */
  ballastBytes?: number;
  /** Largest file whose structure is checked before `openJournal` answers. Default 32 MiB. */
  pagesCheckedBytesMax?: number;
}

export interface OpenedStore extends OpenedJournal {
  journal: LocalJournal;
}

/**
 * Opens or makes the journal of this host. Damage is told by `condition`, never thrown; a journal that is not sound is
 * left as it is and refuses every append. Opening raises no epoch: the first append of a higher one does, and fences
 * out whoever wrote before. Rejects with a `StoreError` when there is none and none can be made.
 */
export async function openJournal(options: JournalOptions): Promise<OpenedStore> {
  const { path, workerEntry, clock, ballastBytes, pagesCheckedBytesMax } = options;
  const data: JournalWorkerData = {
    role: 'journal',
    path,
    ...(ballastBytes === undefined ? {} : { ballastBytes }),
    ...(pagesCheckedBytesMax === undefined ? {} : { pagesCheckedBytesMax }),
  };
  const worker = new Worker(workerEntry, { workerData: data });
  const opening = await firstMessage(worker);
  if (!opening.ok) throw fromWire(opening.error);
  const { condition, snapshot, rows, lastSeq, epoch, isCheckPending } = opening;
  const journal = new LocalJournal(worker, clock, lastSeq);
  if (isCheckPending) journal.checkPages({ path, workerEntry });
  return { journal, snapshot, rows: rows.map(decodeRow), epoch, condition };
}

function firstMessage(worker: Worker): Promise<OpeningAnswer> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** A request that waits for its turn or for its answer. */
interface Waiting {
  request: JournalRequest;
  bytes: number;
  resolve(value: CoordinationAnswer | readonly EncodedRow[]): void;
  reject(error: Error): void;
}

/**
 * The daemon's half of the journal. One turn is with the worker at a time; everything asked meanwhile makes up the next,
 * and its writes share one transaction and one flush. Answers come in the order of the calls.
 *
 * When a batch is refused, all that wait behind it are refused with the same error: they were made on top of it. The
 * caller repeats them in order, beginning with the first refused; nothing else is taken before.
 */
export class LocalJournal implements Journal {
  readonly #worker: Worker;
  readonly #clock: Clock;
  #queue: Waiting[] = [];
  #turn: Waiting[] | null = null;
  #bytes = 0;
  #drainers: (() => void)[] = [];
  #nextSeq: number;
  /** Why the batch beginning at `#nextSeq` was refused last time. */
  #refused: StoreError | null = null;
  #ended: Error | null = null;
  #closing: Promise<void> | null = null;
  #upkeep: Disposable;
  readonly #stopCheck = new AbortController();
  readonly #space = new Emitter<SpaceNotice>();
  readonly #claimsChanged = new Emitter<readonly string[]>();
  readonly #distrusted = new Emitter<string>();

  /** The disk is full and the reserve in use, or there is room again. */
  readonly space: Event<SpaceNotice> = this.#space.event;
  /** Pools whose claims were changed. */
  readonly claimsChanged: Event<readonly string[]> = this.#claimsChanged.event;
  /** The check beside the running daemon found damage: from now on every append is refused. */
  readonly distrusted: Event<string> = this.#distrusted.event;

  constructor(worker: Worker, clock: Clock, lastSeq: number) {
    this.#worker = worker;
    this.#clock = clock;
    this.#nextSeq = lastSeq + 1;
    worker.on('message', (answer: TurnAnswer) => this.#receive(answer));
    worker.on('error', (cause) => this.#end(new AssertionError('The journal worker failed', { cause })));
    worker.on('exit', () => this.#end(new AssertionError('The journal is closed')));
    this.#upkeep = clock.after(firstUpkeepMs, () => this.#tend());
  }

  async append({ epoch, rows, steps }: JournalBatch): Promise<void> {
    const encoded = rows.map(encodeRow);
    const first = encoded[0];
    if (first) this.#expect(first.seq);
    else if (this.#refused !== null) throw this.#refused;
    const bytes = sizeOf(encoded);
    if (this.#bytes + bytes > waitingBytesMax) throw this.#overloaded(first !== undefined);
    if (first) {
      this.#refused = null;
      this.#nextSeq = first.seq + encoded.length;
    }
    await this.#ask({ type: 'append', epoch, rows: encoded, steps }, bytes);
  }

  /** At most `readRowsMax` rows however many are asked for. Rejects when the very next row cannot be believed. */
  async read(afterSeq: number, limit: number): Promise<JournalRow[]> {
    const rows = await this.#ask({ type: 'read', afterSeq, limit: Math.min(limit, readRowsMax) });
    return (rows as readonly EncodedRow[]).map(decodeRow);
  }

  async writeSnapshot(seq: number, state: string): Promise<void> {
    if (seq >= this.#nextSeq && this.#refused) throw this.#refused;
    await this.#ask({ type: 'snapshot', seq, state }, state.length);
  }

  /** A question of the coordinator, in the same transactions as the events. */
  async coordinate<Type extends keyof CoordinationCalls>(
    epoch: number,
    type: Type,
    ask: CoordinationCalls[Type]['ask'],
  ): Promise<CoordinationCalls[Type]['answer']> {
    const request = { type, ...ask } as CoordinationRequest;
    return (await this.#ask({ type: 'coordinate', epoch, request })) as CoordinationCalls[Type]['answer'];
  }

  /** Resolves when less than `congestedBytes` wait for the disk. Whoever makes events awaits it before the next. */
  drained(): Promise<void> {
    if (this.#bytes < congestedBytes) return Promise.resolve();
    return new Promise((resolve) => this.#drainers.push(resolve));
  }

  /** Has the structure of a large file checked beside everything else; damage stops all further writing. */
  checkPages(place: JournalPlace): void {
    void this.#checkPages(place);
  }

  /** After everything asked before. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#upkeep[Symbol.dispose]();
    this.#stopCheck.abort();
    if (this.#ended !== null) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    await this.#ask({ type: 'close' });
    await exited;
  }

  /** Batches follow each other without a hole; the one exception is repeating what was refused. */
  #expect(seq: number): void {
    if (seq === this.#nextSeq) return;
    if (this.#refused !== null) throw this.#refused;
    throw new AssertionError(`Events must follow on: expected ${this.#nextSeq}, the batch begins at ${seq}`);
  }

  #ask(request: JournalRequest, bytes = rowBytes): Promise<CoordinationAnswer | readonly EncodedRow[]> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, bytes, resolve, reject });
      this.#bytes += bytes;
      if (this.#queue.length === 1) queueMicrotask(() => this.#send());
    });
  }

  #send(): void {
    if (this.#turn !== null || this.#queue.length === 0 || this.#ended !== null) return;
    this.#turn = this.#queue;
    this.#queue = [];
    this.#worker.postMessage(this.#turn.map(({ request }) => request));
  }

  #receive({ outcomes, changedPools, notices }: TurnAnswer): void {
    if (outcomes !== null) this.#settle(outcomes);
    for (const notice of notices) this.#space.fire(notice);
    if (changedPools.length > 0) this.#claimsChanged.fire(changedPools);
    this.#send();
  }

  #settle(outcomes: readonly WireOutcome[]): void {
    const turn = this.#turn;
    assert(turn?.length === outcomes.length, 'Every request of a turn has one outcome');
    this.#turn = null;
    for (const [at, waiting] of turn.entries()) {
      const outcome = outcomes[at];
      this.#bytes -= waiting.bytes;
      if (outcome?.ok) waiting.resolve(outcome.value);
      else if (outcome) this.#refuse(waiting, fromWire(outcome.error));
    }
    if (this.#refused !== null) this.#refuseWhatFollows(this.#refused);
    if (this.#bytes < congestedBytes) for (const resume of this.#drainers.splice(0)) resume();
  }

  #refuse(waiting: Waiting, error: StoreError): void {
    const first = firstSeq(waiting);
    if (first !== null) {
      this.#nextSeq = Math.min(this.#nextSeq, first);
      this.#refused ??= error;
    }
    waiting.reject(error);
  }

  #refuseWhatFollows(error: StoreError): void {
    const follows = (waiting: Waiting) => (firstSeq(waiting) ?? 0) > this.#nextSeq;
    const following = this.#queue.filter(follows);
    this.#queue = this.#queue.filter((waiting) => !follows(waiting));
    for (const waiting of following) {
      this.#bytes -= waiting.bytes;
      waiting.reject(error);
    }
  }

  #overloaded(hasRows: boolean): StoreError {
    const error = new StoreError(
      'daemon/overloaded',
      `Cannot take more events: ${this.#bytes} bytes wait for a slow disk. Sessions keep running`,
    );
    if (hasRows) this.#refused = error;
    return error;
  }

  #tend(): void {
    this.#upkeep = this.#clock.after(upkeepMs, () => this.#tend());
    this.#ask({ type: 'tend' }).catch(ignoreEnd);
  }

  async #checkPages(place: JournalPlace): Promise<void> {
    const troubles = await checkJournalPages({ ...place, signal: this.#stopCheck.signal }).catch((error: unknown) => {
      // Could not be read just now; the next opening checks again.
      if (error instanceof StoreError && error.code !== 'journal/damaged') return [];
      return [String(error)];
    });
    if (troubles.length === 0 || this.#closing !== null || this.#ended !== null) return;
    const message = troubles.join('; ');
    await this.#ask({ type: 'distrust', message }).catch(ignoreEnd);
    this.#distrusted.fire(message);
  }

  #end(error: Error): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#upkeep[Symbol.dispose]();
    const left = [...(this.#turn ?? []), ...this.#queue];
    this.#turn = null;
    this.#queue = [];
    for (const waiting of left) waiting.reject(error);
    for (const resume of this.#drainers.splice(0)) resume();
  }
}

/** Upkeep that nobody waits for: when the worker has failed, those who do wait are told. */
function ignoreEnd(error: unknown): void {
  if (!(error instanceof AssertionError)) throw error;
}

/** Seq of the first event that a request wants written. */
function firstSeq({ request }: Waiting): number | null {
  return request.type === 'append' ? (request.rows[0]?.seq ?? null) : null;
}

function sizeOf(rows: readonly EncodedRow[]): number {
  let bytes = rowBytes;
  for (const row of rows) bytes += rowBytes + row.data.length;
  return bytes;
}
