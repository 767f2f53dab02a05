import { writeSync } from 'node:fs';
import type { QueryFilter } from '../../client/index.ts';
import type { Invocation } from '../invocation.ts';
import type { SessionSink } from './attached-session.ts';
import { bottomLine, freshScreen, leaveTerminal, saveTitle, scrollAway, titleOf } from './terminal-modes.ts';
import { TitleFilter } from './title-filter.ts';

/**
 * The terminal this program runs in, given to a session: its output, our title and, on the bottom row, a line of ours
 * for a moment. After the first screen nothing more is shown until `prepare`, called then, has resolved. `end` or
 * `endAtOnce` gives the terminal back as it was.
 */
export class TerminalOutput implements SessionSink {
  readonly #stdout: Invocation['stdout'];
  readonly #createFilter: () => QueryFilter;
  readonly #isTerminal: boolean;
  readonly #prepare: () => Promise<void>;
  #waiting: { bytes: Uint8Array; taken: () => void }[] | null = [];
  #prepared = Promise.resolve();
  #queries: QueryFilter;
  #titles = new TitleFilter();
  #title = '';
  #shownTitle = '';
  #isLineShown = false;
  #hasBegun = false;
  #isOver = false;

  constructor(stdout: Invocation['stdout'], createFilter: () => QueryFilter, prepare: () => Promise<void>) {
    this.#stdout = stdout;
    this.#createFilter = createFilter;
    this.#isTerminal = stdout.isTTY === true;
    this.#queries = createFilter();
    if (this.#isTerminal) writeWithoutBlocking(stdout);
    this.#prepare = prepare;
  }

  paint(screen: Uint8Array): void {
    if (this.#isOver) return;
    // What waits to be shown is in this screen already.
    for (const { taken } of this.#waiting?.splice(0) ?? []) taken();
    this.#queries = this.#createFilter();
    this.#titles = new TitleFilter();
    this.#isLineShown = false;
    this.#own(this.#hasBegun ? freshScreen : `${saveTitle}${scrollAway(this.#rows)}${freshScreen}`);
    this.#stdout.write(this.#filtered(screen));
    if (!this.#hasBegun) this.#prepared = this.#prepare().then(() => this.#showWaiting());
    this.#hasBegun = true;
    this.#showTitle();
  }

  write(bytes: Uint8Array, taken: () => void): void {
    if (this.#waiting !== null) return void this.#waiting.push({ bytes, taken });
    if (this.#isOver || this.#isLineShown) return taken();
    const filtered = this.#filtered(bytes);
    if (filtered.length === 0) taken();
    else this.#stdout.write(filtered, () => taken());
    this.#showTitle();
  }

  /** Shown now, or as soon as nothing of the agent's is half printed. */
  setTitle(text: string): void {
    this.#title = text;
    this.#showTitle();
  }

  /** Shows a line and nothing else until the next screen is painted; the caller asks for that. */
  showLine(line: string): void {
    if (!this.#hasBegun) return;
    this.#isLineShown = true;
    this.#own(bottomLine(line, this.#rows));
  }

  bell(): void {
    if (this.#titles.isAtRest) this.#own('\u0007');
  }

  /** Resolves when the terminal has taken everything and is as it was. */
  async end(): Promise<void> {
    await this.#prepared;
    const last = this.#lastWords();
    this.#isOver = true;
    await new Promise<void>((resolve) => this.#stdout.write(last, () => resolve()));
  }

  /** For an end that leaves no time: writes past what still waits. */
  endAtOnce(): void {
    const last = this.#lastWords();
    this.#isOver = true;
    try {
      if (last !== '') writeSync(1, last);
    } catch {
      // The terminal is gone or blocked; nothing more can be done for it.
    }
  }

  #showWaiting(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const { bytes, taken } of waiting) this.write(bytes, taken);
  }

  get #rows(): number {
    return this.#stdout.rows ?? 24;
  }

  #lastWords(): string {
    return this.#hasBegun && !this.#isOver && this.#isTerminal ? leaveTerminal(this.#rows) : '';
  }

  #filtered(bytes: Uint8Array): Uint8Array {
    return this.#isTerminal ? this.#titles.filter(this.#queries.filter(bytes)) : bytes;
  }

  #showTitle(): void {
    if (!this.#hasBegun || this.#title === this.#shownTitle || !this.#titles.isAtRest) return;
    this.#shownTitle = this.#title;
    this.#own(titleOf(this.#title));
  }

  #own(text: string): void {
    if (this.#isTerminal && !this.#isOver) this.#stdout.write(text);
  }
}

/**
 * Node writes to terminals in blocking mode, so that a terminal that is stopped would stop the keyboard with it. The
 * handle has no public name; where there is none, writes block as before.
 */
function writeWithoutBlocking(stdout: Invocation['stdout']): void {
  const { _handle: handle } = stdout as { _handle?: { setBlocking?(isBlocking: boolean): unknown } };
  handle?.setBlocking?.(false);
}
