import { Worker } from 'node:worker_threads';
import { backoffMs, type Clock, Emitter, type Event, type Log } from '../../base/index.ts';
import type { HolderExit } from '../../protocol/index.ts';
import type { ScreenEvent } from './screen-events.ts';
import type { ScreenAnswerTo, ScreenNews, ScreenOrder, ScreenQuestion, WatchedTerminal } from './screen-messages.ts';
import type { Checkpoint, ScreenPage, ScreenText } from './screen-model.ts';
import type { ScreenLook } from './screen-queries.ts';

export interface ScreenPoolOptions {
  workers: number;
  /** `screen-worker.ts`, or what it was built into. */
  entry: URL;
  /** Of the daemon; holders refuse readers of an earlier one. */
  epoch: number;
}

const restartBackoff = { firstMs: 50, maxMs: 5_000 };
/** A worker that does not end by itself within this has nothing more to save. */
const closeMs = 2_000;

/**
 * Screens of all sessions, spread over worker threads. A worker that dies is started again and rebuilds its screens from
 * what it had saved and from the logs; what was asked of it meanwhile is refused. Dispose to save and end them all.
 */
export class ScreenPool implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: ScreenPoolOptions;
  readonly #members: Member[] = [];
  readonly #asked = new Map<
    number,
    { member: Member; resolve(answer: ScreenAnswerTo): void; reject(error: Error): void }
  >();
  readonly #output = new Emitter<{ session: string; head: number }>();
  readonly #event = new Emitter<{ session: string; event: ScreenEvent }>();
  readonly #exited = new Emitter<{ session: string; incarnation: number; exit: HolderExit }>();
  #lastQuestion = 0;
  #isClosed = false;

  constructor(ports: { clock: Clock; log: Log }, options: ScreenPoolOptions) {
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#options = options;
    for (let index = 0; index < options.workers; index++)
      this.#members.push({ worker: null, watched: new Map(), failures: 0 });
  }

  /** A session printed; told now and then, not for every byte. */
  get onOutput(): Event<{ session: string; head: number }> {
    return this.#output.event;
  }

  /** What programs told their terminal. A rebuilt screen tells again what came after it was saved; offsets say so. */
  get onEvent(): Event<{ session: string; event: ScreenEvent }> {
    return this.#event.event;
  }

  /** A process ended, and its output has been seen to the last byte. */
  get onExited(): Event<{ session: string; incarnation: number; exit: HolderExit }> {
    return this.#exited.event;
  }

  /** Follows a process; a session that was followed before goes over to the new one. */
  watch(terminal: WatchedTerminal): void {
    const known = this.#memberOf(terminal.session);
    const member = known ?? this.#leastBusy();
    member.watched.set(terminal.session, terminal);
    this.#send(member, { type: 'watch', terminal, epoch: this.#options.epoch });
  }

  drop(session: string): void {
    const member = this.#memberOf(session);
    if (member === undefined) return;
    member.watched.delete(session);
    this.#send(member, { type: 'drop', session });
  }

  /** Rejects when the session is not followed. */
  async checkpoint(session: string, history: number): Promise<Checkpoint> {
    const checkpoint = await this.#ask({ type: 'checkpoint', session, history });
    if (checkpoint === null || !('bytes' in checkpoint)) throw new Error('Its screen is not there yet');
    return checkpoint;
  }

  /** Null when there is neither a screen nor a saved one. */
  async text(session: string, checkpointPath: string): Promise<ScreenText | null> {
    const text = await this.#ask({ type: 'text', session, checkpointPath });
    return text !== null && 'cursor' in text ? text : null;
  }

  /** Rows of the normal screen and above it, `count` of them before row `before`; null when the session is not followed. */
  async page(session: string, count: number, before?: number): Promise<ScreenPage | null> {
    const page = await this.#ask({ type: 'page', session, count, ...(before === undefined ? {} : { before }) });
    return page !== null && 'first' in page ? page : null;
  }

  /** Whose window a program is told of when it asks for colours and sizes. */
  setLook(session: string, look: ScreenLook): void {
    const member = this.#memberOf(session);
    const terminal = member?.watched.get(session);
    if (member === undefined || terminal === undefined) return;
    member.watched.set(session, { ...terminal, look });
    this.#send(member, { type: 'look', session, look });
  }

  async sized(session: string, columns: number, rows: number, waitMs: number): Promise<void> {
    await this.#ask({ type: 'sized', session, columns, rows, waitMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#members.map((member) => this.#close(member)));
    for (const { reject } of this.#asked.values()) reject(new Error('The daemon ends'));
    this.#asked.clear();
  }

  #ask(question: ScreenQuestion): Promise<ScreenAnswerTo> {
    const member = this.#memberOf(question.session) ?? this.#leastBusy();
    const id = ++this.#lastQuestion;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { member, resolve, reject });
      this.#send(member, { type: 'ask', id, question });
    });
  }

  #memberOf(session: string): Member | undefined {
    return this.#members.find(({ watched }) => watched.has(session));
  }

  #leastBusy(): Member {
    return this.#members.reduce((best, member) => (member.watched.size < best.watched.size ? member : best));
  }

  /** Workers start when they are first needed: each costs memory whether it has screens or not. */
  #send(member: Member, order: ScreenOrder): void {
    member.worker ??= this.#start(member);
    member.worker.postMessage(order);
  }

  #start(member: Member): Worker {
    const worker = new Worker(this.#options.entry, { name: 'screens' });
    worker.on('message', (news: ScreenNews) => this.#heard(member, news));
    worker.on('error', (error) => this.#log.error('A screen worker failed', { error: error.stack }));
    worker.on('exit', () => this.#ended(member, worker));
    return worker;
  }

  #heard(member: Member, news: ScreenNews): void {
    switch (news.type) {
      case 'events':
        member.failures = 0;
        for (const said of news.events) this.#event.fire(said);
        return;
      case 'output':
        return this.#output.fire(news);
      case 'exited':
        this.drop(news.session);
        return this.#exited.fire(news);
      case 'gap': {
        const { session, from, to } = news;
        return this.#log.warn('Output was missing from the log; the screen goes on without it', { session, from, to });
      }
      case 'failed':
        return this.#log.error('A screen failed and began anew', { session: news.session, message: news.message });
      case 'answer':
        this.#asked.get(news.id)?.resolve(news.answer);
        this.#asked.delete(news.id);
        return;
      case 'closed':
        return;
    }
  }

  #ended(member: Member, worker: Worker): void {
    if (member.worker !== worker) return;
    member.worker = null;
    for (const [id, asked] of this.#asked) {
      if (asked.member !== member) continue;
      this.#asked.delete(id);
      asked.reject(new Error('The screens are being rebuilt'));
    }
    if (this.#isClosed || member.watched.size === 0) return;
    this.#clock.after(backoffMs(restartBackoff, member.failures++, 0.5), () => {
      if (this.#isClosed) return;
      for (const terminal of member.watched.values())
        this.#send(member, { type: 'watch', terminal, epoch: this.#options.epoch });
    });
  }

  async #close(member: Member): Promise<void> {
    const { worker } = member;
    if (worker === null) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ type: 'close' } satisfies ScreenOrder);
    const late = this.#clock.after(closeMs, () => void worker.terminate());
    await ended;
    late[Symbol.dispose]();
  }
}

interface Member {
  worker: Worker | null;
  watched: Map<string, WatchedTerminal>;
  /** Ends in a row without a sign of life between them. */
  failures: number;
}
