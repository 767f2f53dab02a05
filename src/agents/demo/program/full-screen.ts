import { safeText } from '../../safe-text.ts';
import { type Entry, entriesMax } from './conversation.ts';
import { drawFrame, spinnerStepMs, type View } from './frame.ts';
import { type Input, InputParser, type Key } from './input-parser.ts';
import type { Activity, Dialog, Facts, Plan, Stage, StageEvents } from './stage.ts';

interface FullScreenOptions {
  name: string;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** Every byte for the terminal goes through here. */
  write(bytes: string | Uint8Array): void;
  events: StageEvents;
  /** Keys that come sooner after a dialog opened are ignored, so that none meant for the input answers it. */
  deafMs: number;
}

/** Changes within this time are drawn together: at most 30 frames a second. */
const frameMs = 33;
/** How long a first Ctrl+C waits for the second. */
const quitMs = 2000;

interface OpenDialog {
  dialog: Dialog;
  chosen: number;
  openedAt: number;
  settle(option: number | null): void;
}

/** Owns the terminal: raw input, the alternate screen, one synchronized write a frame, and nothing written when nothing changes. */
export class FullScreen implements Stage {
  #options: FullScreenOptions;
  #parser: InputParser;
  #entries = new Map<number, Entry>();
  #activity: Activity = { kind: 'ready' };
  #plan: Plan | null = null;
  #facts: Facts = { isDemoRepository: true, branch: null, changes: null, testsPassed: 0 };
  #queue: readonly string[] = [];
  #dialog: OpenDialog | null = null;
  #before = '';
  #after = '';
  #scrolledBack = 0;
  #quitUntil = 0;
  #drawn: readonly string[] = [];
  #drawnCursor = '';
  #timer: NodeJS.Timeout | null = null;
  #timerAt = 0;
  #isDisposed = false;

  constructor(options: FullScreenOptions) {
    this.#options = options;
    this.#parser = new InputParser((input) => this.#take(input));
    const { input, output } = options;
    input.setRawMode(true);
    input.on('data', this.#onData);
    // The terminal went away: the same as a hang-up.
    input.on('end', options.events.onQuit);
    output.on('resize', this.#onResize);
    options.write('\x1b[?1049h\x1b[?2004h\x1b[?7l\x1b[2J');
    this.#drawSoon(0);
  }

  put(id: number, entry: Entry): void {
    this.#entries.set(id, entry);
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > entriesMax && oldest !== undefined) this.#entries.delete(oldest);
    this.#drawSoon();
  }

  show(activity: Activity): void {
    this.#activity = activity;
    this.#drawSoon();
  }

  showPlan(plan: Plan | null): void {
    this.#plan = plan;
    this.#drawSoon();
  }

  showFacts(facts: Facts): void {
    this.#facts = facts;
    this.#drawSoon();
  }

  showQueue(prompts: readonly string[]): void {
    this.#queue = prompts.map((prompt) => safeText(prompt));
    this.#drawSoon();
  }

  ask(dialog: Dialog, signal: AbortSignal): Promise<number | null> {
    return new Promise((resolve, reject) => {
      const close = () => {
        this.#dialog = null;
        signal.removeEventListener('abort', interrupted);
        this.#drawSoon();
      };
      const interrupted = () => {
        close();
        reject(signal.reason);
      };
      signal.addEventListener('abort', interrupted);
      const settle = (option: number | null) => {
        close();
        resolve(option);
      };
      this.#dialog = { dialog, chosen: 0, openedAt: Date.now(), settle };
      this.#drawSoon();
    });
  }

  flush(): void {
    if (this.#timer === null || this.#isDisposed) return;
    clearTimeout(this.#timer);
    this.#draw();
  }

  write(bytes: string | Uint8Array): void {
    this.#options.write(bytes);
    this.#drawn = [];
    this.#drawSoon();
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#parser[Symbol.dispose]();
    const { input, output, events, write } = this.#options;
    input.off('data', this.#onData);
    input.off('end', events.onQuit);
    output.off('resize', this.#onResize);
    write('\x1b[?7h\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l');
    input.setRawMode(false);
    input.pause();
  }

  #onData = (bytes: Buffer) => this.#parser.push(bytes);

  #onResize = () => {
    this.#drawn = [];
    this.#drawSoon(0);
  };

  #take(input: Input): void {
    if (input.kind === 'answer') {
      this.#options.events.onAnswer(input.to);
      return;
    }
    if (input.kind === 'key' && input.key === 'interrupt') this.#pressInterrupt();
    else if (this.#dialog !== null) this.#answer(this.#dialog, input);
    else if (input.kind === 'key') this.#press(input.key);
    else this.#type(input.text);
    this.#drawSoon();
  }

  #pressInterrupt(): void {
    if (Date.now() < this.#quitUntil) {
      this.#options.events.onQuit();
      return;
    }
    this.#quitUntil = Date.now() + quitMs;
    this.#clearInput();
  }

  #answer(open: OpenDialog, input: Input): void {
    if (Date.now() - open.openedAt < this.#options.deafMs) return;
    const count = open.dialog.options.length;
    if (input.kind === 'text') {
      const option = optionOf(input.text, open.dialog);
      if (option !== null) open.settle(option);
    } else if (input.kind === 'key') {
      if (input.key === 'up') open.chosen = (open.chosen + count - 1) % count;
      else if (input.key === 'down' || input.key === 'tab') open.chosen = (open.chosen + 1) % count;
      else if (input.key === 'enter') open.settle(open.chosen);
      else if (input.key === 'escape') open.settle(null);
    }
  }

  #press(key: Key): void {
    switch (key) {
      case 'enter':
        this.#send();
        break;
      case 'escape':
        this.#options.events.onInterrupt();
        break;
      case 'backspace':
        this.#before = withoutLast(this.#before);
        break;
      case 'delete':
        this.#after = this.#after.slice(firstOf(this.#after).length);
        break;
      case 'left':
        this.#moveTo(withoutLast(this.#before).length);
        break;
      case 'right':
        this.#moveTo(this.#before.length + firstOf(this.#after).length);
        break;
      case 'home':
        this.#moveTo(0);
        break;
      case 'end':
        this.#moveTo(this.#before.length + this.#after.length);
        break;
      case 'clear-line':
        this.#clearInput();
        break;
      case 'clear-word':
        this.#before = this.#before.replace(/\S*\s*$/, '');
        break;
      case 'page-up':
        this.#scrolledBack += 10;
        break;
      case 'page-down':
        this.#scrolledBack = Math.max(0, this.#scrolledBack - 10);
        break;
      default:
        break;
    }
  }

  #type(text: string): void {
    this.#before += text
      .replace(/\r\n?/g, '\n')
      .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
      .replace(/\t/g, '  ');
  }

  #send(): void {
    const text = this.#before + this.#after;
    if (text.trim() === '') return;
    this.#clearInput();
    this.#scrolledBack = 0;
    this.#options.events.onPrompt(text);
  }

  #clearInput(): void {
    this.#before = '';
    this.#after = '';
  }

  #moveTo(at: number): void {
    const text = this.#before + this.#after;
    this.#before = text.slice(0, at);
    this.#after = text.slice(at);
  }

  #drawSoon(ms: number = frameMs): void {
    if (this.#isDisposed) return;
    const at = Date.now() + ms;
    if (this.#timer !== null) {
      if (this.#timerAt <= at) return;
      clearTimeout(this.#timer);
    }
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#draw(), ms);
  }

  #draw(): void {
    this.#timer = null;
    const { output } = this.#options;
    if (output.writableNeedDrain) {
      output.once('drain', () => this.#drawSoon());
      return;
    }
    const columns = Math.max(1, output.columns || 80);
    const rows = Math.max(1, output.rows || 24);
    const frame = drawFrame(this.#view(), columns, rows);
    const isFresh = this.#drawn.length !== rows;
    const cursor =
      frame.cursor === null ? '\x1b[?25l' : `\x1b[${frame.cursor.row + 1};${frame.cursor.column + 1}H\x1b[?25h`;
    const changed = frame.rows.flatMap((row, index) =>
      isFresh || row !== this.#drawn[index] ? [`\x1b[${index + 1};1H\x1b[K${row}`] : [],
    );
    if (isFresh) changed.unshift('\x1b[2J');
    if (changed.length > 0 || cursor !== this.#drawnCursor)
      this.#options.write(`\x1b[?2026h\x1b[?25l${changed.join('')}${cursor}\x1b[?2026l`);
    this.#drawn = frame.rows;
    this.#drawnCursor = cursor;
    this.#drawAgain();
  }

  /** Only what moves by itself is drawn again without a cause. */
  #drawAgain(): void {
    const now = Date.now();
    if (this.#activity.kind === 'working' || this.#activity.kind === 'quiet')
      this.#drawSoon(spinnerStepMs - (now % spinnerStepMs));
    else if (this.#activity.kind === 'parked') this.#drawSoon(1000 - (now % 1000));
    else if (now < this.#quitUntil) this.#drawSoon(this.#quitUntil - now + 1);
  }

  #view(): View {
    return {
      name: this.#options.name,
      entries: [...this.#entries.values()],
      activity: this.#activity,
      plan: this.#plan,
      facts: this.#facts,
      queue: this.#queue,
      dialog: this.#dialog,
      input: { before: this.#before, after: this.#after },
      scrolledBack: this.#scrolledBack,
      isQuitting: Date.now() < this.#quitUntil,
      now: Date.now(),
    };
  }
}

/** A digit anywhere in a dialog; `y` and `n` where it asks for permission. */
function optionOf(text: string, dialog: Dialog): number | null {
  if (dialog.kind === 'permission') {
    if (text === 'y' || text === 'Y') return 0;
    if (text === 'n' || text === 'N') return dialog.options.length - 1;
  }
  const option = Number(text) - 1;
  return Number.isInteger(option) && option >= 0 && option < dialog.options.length ? option : null;
}

function firstOf(text: string): string {
  return [...text.slice(0, 2)][0] ?? '';
}

function withoutLast(text: string): string {
  return text.slice(0, text.length - ([...text.slice(-2)].at(-1) ?? '').length);
}
