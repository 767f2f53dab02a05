import { readFileSync, writeFileSync } from 'node:fs';
import type { HolderChannel, HolderExit, HolderPause, HolderStart } from '../../protocol/index.ts';
import { ByteLog } from './byte-log.ts';
import type { ChildExit, HolderChild, StartChild } from './child.ts';
import type { HolderTick } from './holder-tick.ts';
import type { LogFiles } from './log-files.ts';
import { OutputTail } from './output-tail.ts';
import { PacedReader } from './paced-reader.ts';
import type { Subscription, SubscriptionSource } from './subscription.ts';

interface ChannelOptions {
  number: number;
  start: HolderStart;
  segmentBytes: number;
  tick: HolderTick;
  files?: LogFiles;
  now: () => number;
  /** Someone should be told: the child is held up (or, with null, goes on). A backlog alone is not worth telling. */
  onPause: (pause: HolderPause | null) => void;
  /** With the process id it had; null when it never started. */
  onExit: (pid: number | null) => void;
  /** The log is complete and closed. */
  onSettled: () => void;
}

/**
 * One child with its log, its newest output and its readers. States: *live* from the start on; *exited* when the child
 * is gone and its output complete; *settled* when all of that is on disk. A child that could not be started is exited
 * from the beginning, so that its end is told and kept like any other.
 */
export class Channel implements SubscriptionSource, Disposable {
  readonly number: number;
  readonly session: string;
  readonly incarnation: number;
  readonly name: string;
  readonly logDir: string;
  readonly tail: OutputTail;
  readonly subscriptions = new Set<Subscription>();
  readonly #options: ChannelOptions;
  readonly #log: ByteLog;
  readonly #startedAt: number;
  #child: HolderChild | null = null;
  #pace: PacedReader | null = null;
  #columns: number;
  #rows: number;
  #exit: HolderExit | null = null;
  #isSettled = false;
  #answeredTo: number;
  #pause: HolderPause | null = null;

  /** Opens the log; throws what the file system throws. The child starts with `startChild`. */
  constructor(options: ChannelOptions) {
    const { start } = options;
    this.#options = options;
    this.number = options.number;
    this.session = start.session;
    this.incarnation = start.incarnation;
    this.name = start.name;
    this.logDir = start.logDir;
    this.#columns = start.columns;
    this.#rows = start.rows;
    this.#startedAt = options.now();
    const { session, incarnation, name, io, columns, rows } = start;
    this.#log = ByteLog.open({
      folder: start.logDir,
      context: { session, incarnation, name, io, columns, rows, startedAt: this.#startedAt },
      retainBytes: start.retainBytes,
      capBytes: start.capBytes,
      // A small cap still needs segments to drop.
      segmentBytes: Math.min(options.segmentBytes, Math.max(1, Math.floor(start.capBytes / 4))),
      tick: options.tick,
      onPressure: (pressure) => this.#underPressure(pressure),
      ...(options.files === undefined ? {} : { files: options.files }),
    });
    this.#answeredTo = this.#log.startedFrom;
    this.tail = new OutputTail(this.#log.startedFrom, columns, rows);
  }

  /** Starts the program, or records why it could not be started. */
  startChild(startChild: StartChild): void {
    const { start } = this.#options;
    const started = startChild(
      { ...start, stderr: start.stderr ?? 'merged' },
      {
        onData: (bytes) => this.#printed(bytes),
        onErrors: (bytes) => this.#log.errors(bytes),
        onExit: (exit) => this.#exited(exit),
      },
    );
    if (!started.ok) {
      this.#exited({ code: null, signal: null, error: started.error, message: started.message });
      return;
    }
    this.#child = started.child;
    if (started.child.poller !== null) this.#pace = new PacedReader(started.child.poller, this.#options.tick);
    if (start.oomScoreAdj !== undefined) raiseOomScore(started.child.pid, start.oomScoreAdj);
    if (this.#log.pressure !== null) started.child.pause();
  }

  get exit(): HolderExit | null {
    return this.#exit;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  describe(): HolderChannel {
    return {
      channel: this.number,
      session: this.session,
      incarnation: this.incarnation,
      name: this.name,
      pid: this.pid,
      columns: this.#columns,
      rows: this.#rows,
      retainedFrom: this.#log.retainedFrom,
      head: this.#log.head,
      startedFrom: this.#log.startedFrom,
      answeredTo: this.#answeredTo,
      exit: this.#exit,
      paused: this.#log.pressure,
      startedAt: this.#startedAt,
    };
  }

  /** Empty bytes close the input of a piped child. */
  input(bytes: Uint8Array): 'taken' | 'not-live' | 'full' {
    if (this.#child === null) return 'not-live';
    this.#pace?.attend();
    if (bytes.length === 0) this.#child.endInput();
    else if (!this.#child.write(bytes)) return 'full';
    return 'taken';
  }

  /** Types the answer to a terminal query that ended at `query`, unless one there or later was answered before. */
  answer(query: number, bytes: Uint8Array): void {
    if (this.#child === null || query <= this.#answeredTo || query > this.#log.head) return;
    this.#pace?.attend();
    if (!this.#child.write(bytes)) return;
    this.#answeredTo = query;
    this.#log.answered(query);
  }

  resize(columns: number, rows: number): void {
    if (this.#child === null || (columns === this.#columns && rows === this.#rows)) return;
    this.#columns = columns;
    this.#rows = rows;
    this.#log.resize(columns, rows);
    this.tail.resize(columns, rows);
    this.#child.resize(columns, rows);
    this.#notify(0);
  }

  /** False when there is no child, or nobody of it was left. */
  signal(name: NodeJS.Signals, target: 'group' | 'child'): boolean {
    return this.#child?.signal(name, target) ?? false;
  }

  retain(checkpoint: number): void {
    this.#log.retain(checkpoint);
  }

  /** Lets go of memory that neither the log nor a reader needs. */
  trim(): void {
    let neededFrom = this.tail.head;
    for (const { offset } of this.subscriptions) neededFrom = Math.min(neededFrom, offset);
    this.tail.trim({ writtenTo: this.#log.writtenTo, neededFrom });
  }

  /** Writes what waits now, before an orderly end of the holder. */
  flush(): void {
    this.#log.flush();
  }

  /** A reader came; one that wants to see everything at once changes how the child is read. */
  subscribe(subscription: Subscription): void {
    this.subscriptions.add(subscription);
    if (subscription.isEager) this.#pace?.attend();
  }

  [Symbol.dispose](): void {
    for (const subscription of this.subscriptions) subscription[Symbol.dispose]();
    this.subscriptions.clear();
    this.#pace?.[Symbol.dispose]();
    this.#child?.[Symbol.dispose]();
    this.#child = null;
    this.#log[Symbol.dispose]();
  }

  #printed(bytes: Uint8Array): void {
    this.tail.append(bytes, (view) => this.#log.append(view));
    this.#notify(bytes.length);
    this.#pace?.heard(bytes.length, this.#isWatched());
    this.trim();
  }

  #exited(exit: ChildExit): void {
    // As a terminal would when its session leader ends: what the program left behind in its group is hung up.
    this.#child?.signal('SIGHUP', 'group');
    const { pid } = this;
    this.#pace?.[Symbol.dispose]();
    this.#pace = null;
    this.#child = null;
    this.#exit = { ...exit, at: this.#options.now() };
    this.#log.finish(this.#exit, () => {
      this.#isSettled = true;
      this.tail.trim({ writtenTo: this.#log.writtenTo, neededFrom: this.tail.head, blocksKept: 0 });
      this.#options.onSettled();
    });
    this.#notify(0);
    this.#options.onExit(pid);
  }

  #underPressure(pressure: HolderPause | null): void {
    if (pressure === null) this.#child?.resume();
    else this.#child?.pause();
    this.#pace?.attend();
    const told = pressure?.reason === 'backlog' ? null : pressure;
    if (told?.reason === this.#pause?.reason) return;
    this.#pause = told;
    this.#options.onPause(told);
  }

  /** Someone wants to see it at once. */
  #isWatched(): boolean {
    for (const { isEager } of this.subscriptions) if (isEager) return true;
    return false;
  }

  #notify(bytes: number): void {
    for (const subscription of this.subscriptions) subscription.notify(bytes);
  }
}

/** So that the kernel takes an agent before a holder when memory runs out. Lowering would need a privilege. */
function raiseOomScore(pid: number, score: number): void {
  const path = `/proc/${pid}/oom_score_adj`;
  try {
    if (score > Number(readFileSync(path, 'latin1'))) writeFileSync(path, String(Math.min(1000, Math.round(score))));
  } catch {
    // Gone already, or a system without such a score: the child runs as well without it.
  }
}
