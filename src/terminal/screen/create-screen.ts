import { assert } from '../../base/index.ts';
import { ControlScanner, type ControlSequence, type ControlSink, type ControlString } from './control-scanner.ts';
import { Content, wordsPerCell } from './screen-cells.ts';
import type { ScreenBuffer, ScreenEngine, ScreenRow } from './screen-engine.ts';
import { ScreenEvents } from './screen-events.ts';
import {
  type Checkpoint,
  checkpointRowsMax,
  type ScreenListeners,
  type ScreenModel,
  type ScreenPage,
  type ScreenText,
} from './screen-model.ts';
import { darkLook, type ScreenLook, ScreenQueries } from './screen-queries.ts';
import { serializeScreen } from './serialize-screen.ts';
import { TrackedState } from './tracked-state.ts';
import { XtermEngine } from './xterm-engine.ts';

export interface CreateScreenOptions {
  columns: number;
  rows: number;
  listeners: ScreenListeners;
  /** Where output begins; 0 for a session seen from its start. */
  offset?: number;
  look?: ScreenLook;
}

/** Rows kept above the viewport: all that an attach can show (terminal.md section 10). Older ones are paged from elsewhere. */
const scrollbackRows = checkpointRowsMax;

export function createScreen({
  columns,
  rows,
  listeners,
  offset = 0,
  look = darkLook,
}: CreateScreenOptions): ScreenModel {
  return new Screen(new XtermEngine({ columns, rows, scrollbackRows }), listeners, offset, look);
}

/** A screen in the state of a checkpoint. What the checkpoint's bytes say is neither told nor answered again. */
export function restoreScreen(
  checkpoint: Checkpoint,
  options: Omit<CreateScreenOptions, 'columns' | 'rows' | 'offset'>,
): ScreenModel {
  const { columns, rows, bytes, offset } = checkpoint;
  let isRestoring = true;
  const { listeners, look = darkLook } = options;
  const screen = createScreen({
    columns,
    rows,
    offset: offset - bytes.length,
    look,
    listeners: {
      event: (event) => isRestoring || listeners.event(event),
      answer: (answer) => isRestoring || listeners.answer(answer),
    },
  });
  screen.write(bytes, offset);
  isRestoring = false;
  return screen;
}

const utf8 = new TextEncoder();

class Screen implements ScreenModel, ControlSink {
  readonly #engine: ScreenEngine;
  readonly #tracked = new TrackedState();
  readonly #scanner = new ControlScanner(this, () => this);
  readonly #events: ScreenEvents;
  readonly #queries: ScreenQueries;
  #look: ScreenLook;
  #offset: number;

  constructor(engine: ScreenEngine, listeners: ScreenListeners, offset: number, look: ScreenLook) {
    this.#engine = engine;
    this.#offset = offset;
    this.#look = look;
    this.#events = new ScreenEvents(this.#tracked, (event) => listeners.event(event));
    this.#queries = new ScreenQueries({
      engine,
      tracked: this.#tracked,
      look: () => this.#look,
      answer: (queryOffset, text) => listeners.answer({ queryOffset, bytes: utf8.encode(text) }),
    });
  }

  get columns(): number {
    return this.#engine.columns;
  }

  get rows(): number {
    return this.#engine.rows;
  }

  get offset(): number {
    return this.#offset;
  }

  get oversized(): number {
    return this.#scanner.oversized;
  }

  write(bytes: Uint8Array, endOffset: number): void {
    assert(
      endOffset - bytes.length === this.#offset,
      `Screen at ${this.#offset} cannot go on at ${endOffset - bytes.length}`,
    );
    this.#scanner.push(bytes, endOffset);
    this.#offset = endOffset;
  }

  resize(columns: number, rows: number): void {
    this.#engine.resize(columns, rows);
  }

  checkpoint(rowsMax = checkpointRowsMax): Checkpoint {
    const bytes = serializeScreen({
      engine: this.#engine,
      tracked: this.#tracked,
      pending: this.#scanner.pending,
      rowsMax,
      more: (out) => this.#events.records.write(out),
    });
    return { offset: this.#offset, columns: this.columns, rows: this.rows, bytes };
  }

  text(): ScreenText {
    const { isAlternate, modes } = this.#engine.state();
    const buffer = isAlternate ? this.#engine.alternate() : this.#engine.normal();
    return {
      offset: this.#offset,
      columns: this.columns,
      rows: this.rows,
      lines: linesOf(buffer, buffer.base, buffer.base + this.rows),
      cursor: { column: Math.min(buffer.x, this.columns - 1), row: buffer.y, isHidden: modes.cursorHidden },
      isAlternate,
      title: this.#tracked.title,
    };
  }

  page(count: number, before = Number.POSITIVE_INFINITY): ScreenPage {
    const buffer = this.#engine.normal();
    const oldest = this.#engine.rowsDropped;
    const end = oldest + buffer.length;
    const last = Math.max(oldest, Math.min(before, end));
    const first = Math.max(oldest, last - count);
    return { offset: this.#offset, first, oldest, end, lines: linesOf(buffer, first - oldest, last - oldest) };
  }

  setLook(look: ScreenLook): void {
    this.#look = look;
  }

  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }

  pass(bytes: Uint8Array): void {
    this.#engine.write(bytes);
  }

  bell(end: number): void {
    this.#events.bell(end);
  }

  sequence(sequence: ControlSequence, end: number): void {
    const { title } = this.#tracked;
    this.#tracked.sequence(sequence);
    this.#events.titleMayHaveChanged(title, end);
    this.#queries.sequence(sequence, end);
  }

  escape(final: string, end: number): void {
    if (final === 'c') this.#tracked.reset();
    else this.#queries.identify(end);
  }

  string(string: ControlString, end: number): void {
    if (string.kind === 'osc' && string.data.startsWith('8;')) this.#setLink(string.data.slice(2));
    else {
      this.#events.string(string, end);
      this.#queries.string(string, end);
    }
  }

  /** OSC 8: `key=value:…;address`. Without an address it ends the link, unless keys say otherwise. */
  #setLink(data: string): void {
    const separator = data.indexOf(';');
    if (separator < 0 || data.length > linkCharactersMax) return;
    const keys = data.slice(0, separator).trim();
    const uri = data.slice(separator + 1);
    if (uri !== '') {
      const id = keys
        .split(':')
        .find((key) => key.startsWith('id='))
        ?.slice(3);
      this.#engine.setLink({ id: id === '' ? undefined : id, uri });
    } else if (keys === '') this.#engine.setLink(undefined);
  }
}

/** Longest link, keys and address; longer ones are ignored. What browsers take in practice. */
const linkCharactersMax = 4096;

function linesOf(buffer: ScreenBuffer, first: number, end: number): string[] {
  const lines: string[] = [];
  for (let i = first; i < end; i++) lines.push(textOf(buffer.row(i)));
  return lines;
}

function textOf(row: ScreenRow): string {
  const { cells } = row;
  let text = '';
  for (let at = 0, column = 0; at < cells.length; at += wordsPerCell, column++) {
    const content = cells[at] as number;
    if ((content & Content.isCombined) !== 0) text += row.combined(column);
    else if ((content & Content.codePoint) !== 0) text += String.fromCodePoint(content & Content.codePoint);
    else if (content >>> Content.widthShift > 0) text += ' ';
  }
  return text.trimEnd();
}
