import type { HolderExit } from '../../protocol/index.ts';
import type { ChannelListener, ChannelSubscription, HolderConnection } from '../holder-connection.ts';
import { readCheckpointFile, writeCheckpointFile } from './checkpoint-file.ts';
import { createScreen, restoreScreen } from './create-screen.ts';
import type { ScreenNews, WatchedTerminal } from './screen-messages.ts';
import type { Checkpoint, ScreenListeners, ScreenModel, ScreenText } from './screen-model.ts';

/** Output between two saved screens: what a restart has to parse again at most, about 25 ms. */
const saveAfterBytes = 1024 * 1024;
/** A screen that has been quiet so long after a change is saved, so that most restarts parse nothing. */
const saveAfterQuietMs = 5_000;
/** Bytes the holder may send ahead of the parser. */
const creditBytes = 512 * 1024;
/** A starting program asks its terminal one thing after the other and waits for each answer. */
const eagerMs = 10_000;
const eagerCoalesceMs = 2;
/** Later output may wait this long, so that sixteen spinners cost few wake-ups. Attached terminals read the holder themselves. */
const calmCoalesceMs = 40;
/** Output is told at most this often. */
const tellOutputMs = 500;

/**
 * Follows one process: rebuilds its screen from the saved one and the log, keeps it up to date, answers the program's
 * queries, tells what it says, and saves the screen now and then. A screen whose engine fails begins anew.
 */
export class FollowedScreen {
  readonly terminal: WatchedTerminal;
  readonly #tell: (news: ScreenNews) => void;
  #screen: ScreenModel;
  #connection: HolderConnection | null = null;
  #subscription: ChannelSubscription | null = null;
  #isEager = true;
  #followedSince = 0;
  #savedAt: number;
  #isSaving = false;
  #changedAt = 0;
  #outputToldAt = 0;
  #sizeWaits: { columns: number; rows: number; done: () => void }[] = [];

  /** Begins with the saved screen if it is of this process. */
  static async open(terminal: WatchedTerminal, tell: (news: ScreenNews) => void): Promise<FollowedScreen> {
    const saved = await readCheckpointFile(terminal.checkpointPath);
    return new FollowedScreen(terminal, saved !== null && saved.offset > terminal.startedFrom ? saved : null, tell);
  }

  private constructor(terminal: WatchedTerminal, saved: Checkpoint | null, tell: (news: ScreenNews) => void) {
    this.terminal = terminal;
    this.#tell = tell;
    this.#savedAt = saved?.offset ?? terminal.startedFrom;
    const { columns, rows, startedFrom: offset } = terminal;
    const { listeners } = this;
    this.#screen =
      saved === null ? createScreen({ columns, rows, offset, listeners }) : restoreScreen(saved, { listeners });
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
    if (isQuiet && this.#screen.offset > this.#savedAt) void this.save();
  }

  /** Keeps the screen on disk and tells the holder, which may then drop what came before. A full disk costs nothing but this. */
  async save(): Promise<void> {
    if (this.#isSaving) return;
    this.#isSaving = true;
    try {
      const checkpoint = this.#screen.checkpoint();
      await writeCheckpointFile(this.terminal.checkpointPath, checkpoint);
      this.#savedAt = checkpoint.offset;
      this.#connection?.retain(this.terminal.channel, checkpoint.offset);
    } catch {
      // The saved screen before this one still counts, and the log is whole: a restart only parses more.
    } finally {
      this.#isSaving = false;
    }
  }

  close(): void {
    this.#subscription?.[Symbol.dispose]();
    this.#connection = null;
    for (const { done } of this.#sizeWaits.splice(0)) done();
    this.#screen[Symbol.dispose]();
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
    const request = { from: this.#screen.offset, credit: creditBytes, coalesceMs };
    this.#subscription = this.#connection?.subscribe(this.terminal.channel, request, this.#channel) ?? null;
  }

  readonly #channel: ChannelListener = {
    data: (offset, bytes, head) => {
      const end = offset + bytes.length;
      this.#guarded(end, () => this.#screen.write(bytes, end));
      this.#subscription?.credit(bytes.length);
      const now = performance.now();
      this.#changedAt = now;
      if (now - this.#outputToldAt > tellOutputMs) {
        this.#outputToldAt = now;
        this.#tell({ type: 'output', session: this.terminal.session, head });
      }
      if (end - this.#savedAt > saveAfterBytes) void this.save();
    },
    resized: (offset, columns, rows) => {
      if (columns !== this.#screen.columns || rows !== this.#screen.rows)
        this.#guarded(offset, () => this.#screen.resize(columns, rows));
      this.#sizeWaits = this.#sizeWaits.filter((wait) => {
        if (wait.columns !== columns || wait.rows !== rows) return true;
        wait.done();
        return false;
      });
    },
    // What was there is not to be had any more; the program's next repaint mends the screen.
    gap: () => {},
    exited: (_offset, exit) => void this.#exited(exit),
  };

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
      this.#screen = createScreen({ columns, rows, offset, listeners: this.listeners });
    }
  }
}
