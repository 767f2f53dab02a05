import type { HolderExit } from '../../protocol/index.ts';
import type { ChannelListener, ChannelSubscription, HolderConnection } from '../holder-connection.ts';
import { readCheckpointFile, writeCheckpointFile } from './checkpoint-file.ts';
import { createScreen, restoreScreen } from './create-screen.ts';
import type { ScreenNews, WatchedTerminal } from './screen-messages.ts';
import type { Checkpoint, ScreenListeners, ScreenModel, ScreenPage, ScreenText } from './screen-model.ts';
import type { ScreenLook } from './screen-queries.ts';
import type { Turn, Turns } from './turns.ts';

/** Output between two saved screens: what a restart has to parse again, about 25 ms. */
const saveAfterBytes = 1024 * 1024;
/** A flood is saved no oftener than this: a screen takes some 10 ms to write down, and may fall behind by a second's output. */
const saveEveryMs = 250;
/** A screen that has been quiet so long after a change is saved, so that most restarts parse nothing. */
const saveAfterQuietMs = 5_000;
/** Bytes the holder may send ahead of the parser, and so what a screen keeps unread at most. */
const creditBytes = 512 * 1024;
/** A starting program asks its terminal one thing after the other and waits for each answer. */
const eagerMs = 10_000;
const eagerCoalesceMs = 2;
/** Later output may wait this long, so that sixteen spinners cost few wake-ups. Attached terminals read the holder themselves. */
const calmCoalesceMs = 40;
/** Output is told at most this often. */
const tellOutputMs = 500;
/** A screen parses for about this long in one turn, and so much at once: hostile output takes ten thousand times as long as other. */
const turnMs = 4;
const sliceBytes = 8 * 1024;
/** Ends any unfinished sequence. */
const cancel = new Uint8Array([0x18]);

/** What came from the holder and waits for its turn. */
type Heard =
  | { type: 'data'; bytes: Uint8Array; end: number; head: number }
  | { type: 'resized'; columns: number; rows: number }
  | { type: 'gap'; from: number; to: number }
  | { type: 'exited'; exit: HolderExit };

/**
 * Follows one process: rebuilds its screen from the saved one and the log, keeps it up to date, answers the program's
 * queries, tells what it says, and saves the screen now and then.
 *
 * Output may come twice (a new subscription begins before the old one has run dry) and is taken once. Where some is
 * missing for good, the screen goes on as it was: its modes are likely still right, and the program's next repaint
 * mends the rest. A screen whose engine fails begins anew.
 */
export class FollowedScreen implements Turn {
  readonly terminal: WatchedTerminal;
  readonly #tell: (news: ScreenNews) => void;
  readonly #turns: Turns;
  #screen: ScreenModel;
  #look: ScreenLook | undefined;
  #connection: HolderConnection | null = null;
  #subscription: ChannelSubscription | null = null;
  #heard: Heard[] = [];
  /** Offset after the last byte heard. */
  #heardTo: number;
  #isEager = true;
  #followedSince = 0;
  #savedAt: number;
  #lastSaveAt = Number.NEGATIVE_INFINITY;
  #saving: Promise<void> | null = null;
  #isClosed = false;
  #changedAt = 0;
  #outputToldAt = 0;
  #sizeWaits: { columns: number; rows: number; done: () => void }[] = [];

  /** Begins with the saved screen if it is of this process. */
  static async open(
    terminal: WatchedTerminal,
    ports: { tell: (news: ScreenNews) => void; turns: Turns },
  ): Promise<FollowedScreen> {
    const saved = await readCheckpointFile(terminal.checkpointPath);
    const isOfThis = saved?.incarnation === terminal.incarnation && saved.checkpoint.offset >= terminal.startedFrom;
    return new FollowedScreen(terminal, isOfThis ? saved.checkpoint : null, ports);
  }

  private constructor(
    terminal: WatchedTerminal,
    saved: Checkpoint | null,
    { tell, turns }: { tell: (news: ScreenNews) => void; turns: Turns },
  ) {
    this.terminal = terminal;
    this.#tell = tell;
    this.#turns = turns;
    const { columns, rows, startedFrom: offset } = terminal;
    const { listeners } = this;
    this.#screen =
      saved === null ? createScreen({ columns, rows, offset, listeners }) : restoreScreen(saved, { listeners });
    if (terminal.look !== undefined) this.setLook(terminal.look);
    this.#savedAt = this.#screen.offset;
    this.#heardTo = this.#screen.offset;
  }

  /** Reads on from where the screen is, on a new connection. */
  follow(connection: HolderConnection, now: number): void {
    this.#connection = connection;
    this.#followedSince ||= now;
    this.#subscribe();
  }

  checkpoint(history: number): Checkpoint {
    return this.#screen.checkpoint(history);
  }

  text(): ScreenText {
    return this.#screen.text();
  }

  page(count: number, before?: number): ScreenPage {
    return this.#screen.page(count, before);
  }

  /** Whose window the program is told of when it asks. */
  setLook(look: ScreenLook): void {
    this.#look = look;
    this.#screen.setLook(look);
  }

  whenSized(columns: number, rows: number, done: () => void): void {
    if (this.#screen.columns === columns && this.#screen.rows === rows) done();
    else this.#sizeWaits.push({ columns, rows, done });
  }

  /** Called every second or two: calms a program that has started, saves a screen that has come to rest. */
  look(now: number): void {
    if (this.#isEager && this.#connection !== null && now - this.#followedSince > eagerMs) {
      this.#isEager = false;
      this.#subscribe();
    }
    const isQuiet = now - this.#changedAt > saveAfterQuietMs;
    if (isQuiet && this.#screen.offset > this.#savedAt) this.#saveUnlessSaving();
  }

  /** Keeps the screen on disk as it is now and tells the holder, which may then drop what came before. A full disk costs nothing but this. */
  async save(): Promise<void> {
    while (this.#saving !== null) await this.#saving;
    if (this.#isClosed) return;
    this.#saving = this.#write();
    await this.#saving;
  }

  async #write(): Promise<void> {
    this.#lastSaveAt = performance.now();
    try {
      const checkpoint = this.#screen.checkpoint();
      await writeCheckpointFile(this.terminal.checkpointPath, { incarnation: this.terminal.incarnation, checkpoint });
      this.#savedAt = checkpoint.offset;
      this.#connection?.retain(this.terminal.channel, checkpoint.offset);
    } catch {
      // The saved screen before this one still counts, and the log is whole: a restart only parses more.
    } finally {
      this.#saving = null;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#turns.remove(this);
    this.#heard = [];
    this.#subscription?.[Symbol.dispose]();
    this.#connection = null;
    for (const { done } of this.#sizeWaits.splice(0)) done();
    this.#screen[Symbol.dispose]();
  }

  take(): boolean {
    const until = performance.now() + turnMs;
    for (let next = this.#heard[0]; next !== undefined; next = this.#heard[0]) {
      const isDone = next.type === 'data' ? this.#parse(next) : this.#apply(next);
      if (isDone) this.#heard.shift();
      if (performance.now() >= until) break;
    }
    return this.#heard.length > 0;
  }

  private get listeners(): ScreenListeners {
    const { session, channel } = this.terminal;
    return {
      event: (event) => this.#tell({ type: 'events', events: [{ session, event }] }),
      answer: ({ queryOffset, bytes }) => this.#connection?.answer(channel, queryOffset, bytes),
    };
  }

  #subscribe(): void {
    const coalesceMs = this.#isEager ? eagerCoalesceMs : calmCoalesceMs;
    const request = { from: this.#heardTo, credit: creditBytes, coalesceMs };
    this.#subscription = this.#connection?.subscribe(this.terminal.channel, request, this.#channel) ?? null;
  }

  readonly #channel: ChannelListener = {
    data: (offset, bytes, head) => {
      const end = offset + bytes.length;
      if (end <= this.#heardTo) {
        this.#subscription?.credit(bytes.length);
        return;
      }
      if (offset > this.#heardTo) this.#hear({ type: 'gap', from: this.#heardTo, to: offset });
      const known = Math.max(0, this.#heardTo - offset);
      if (known > 0) this.#subscription?.credit(known);
      this.#heardTo = end;
      this.#hear({ type: 'data', bytes: bytes.slice(known), end, head });
    },
    // A size from before what was heard is one that has been applied.
    resized: (offset, columns, rows) => offset >= this.#heardTo && this.#hear({ type: 'resized', columns, rows }),
    gap: (from, to) => {
      if (to <= this.#heardTo) return;
      this.#heardTo = to;
      this.#hear({ type: 'gap', from, to });
    },
    exited: (_offset, exit) => this.#hear({ type: 'exited', exit }),
  };

  #hear(heard: Heard): void {
    this.#heard.push(heard);
    this.#turns.add(this);
  }

  /** Parses a slice; true when that was all. */
  #parse(heard: Extract<Heard, { type: 'data' }>): boolean {
    const slice = heard.bytes.subarray(0, sliceBytes);
    heard.bytes = heard.bytes.subarray(slice.length);
    const end = heard.end - heard.bytes.length;
    this.#guarded(end, () => this.#screen.write(slice, end));
    this.#subscription?.credit(slice.length);
    const now = performance.now();
    this.#changedAt = now;
    if (now - this.#outputToldAt > tellOutputMs) {
      this.#outputToldAt = now;
      this.#tell({ type: 'output', session: this.terminal.session, head: heard.head });
    }
    if (end - this.#savedAt > saveAfterBytes && now - this.#lastSaveAt > saveEveryMs) this.#saveUnlessSaving();
    return heard.bytes.length === 0;
  }

  #saveUnlessSaving(): void {
    if (this.#saving === null) void this.save();
  }

  #apply(heard: Exclude<Heard, { type: 'data' }>): true {
    switch (heard.type) {
      case 'resized':
        this.#resize(heard.columns, heard.rows);
        break;
      case 'gap':
        this.#skip(heard.from, heard.to);
        break;
      case 'exited':
        void this.#exited(heard.exit);
        break;
    }
    return true;
  }

  #resize(columns: number, rows: number): void {
    if (columns !== this.#screen.columns || rows !== this.#screen.rows)
      this.#guarded(this.#screen.offset, () => this.#screen.resize(columns, rows));
    this.#sizeWaits = this.#sizeWaits.filter((wait) => {
      if (wait.columns !== columns || wait.rows !== rows) return true;
      wait.done();
      return false;
    });
  }

  /** Goes on with the same screen further down the log, where it may be in the middle of anything. */
  #skip(from: number, to: number): void {
    this.#tell({ type: 'gap', session: this.terminal.session, from, to });
    this.#guarded(to, () => {
      const before = this.#screen;
      this.#replace(
        restoreScreen({ ...before.checkpoint(), offset: to - cancel.length }, { listeners: this.listeners }),
      );
      this.#screen.write(cancel, to);
    });
  }

  async #exited(exit: HolderExit): Promise<void> {
    const { session, incarnation } = this.terminal;
    await this.save();
    this.#tell({ type: 'exited', session, incarnation, exit });
  }

  /** One program's output must not end the screens of the others. */
  #guarded(offset: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      const { columns, rows } = this.#screen;
      this.#tell({ type: 'failed', session: this.terminal.session, message: (error as Error).message });
      this.#replace(createScreen({ columns, rows, offset, listeners: this.listeners }));
    }
  }

  #replace(screen: ScreenModel): void {
    this.#screen[Symbol.dispose]();
    this.#screen = screen;
    if (this.#look !== undefined) screen.setLook(this.#look);
  }
}
