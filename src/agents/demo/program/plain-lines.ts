import type { Entry } from './conversation.ts';
import type { Dialog, Stage, StageEvents } from './stage.ts';

interface PlainLinesOptions {
  input: NodeJS.ReadStream;
  write(bytes: string | Uint8Array): void;
  events: StageEvents;
}

/** Bytes of one line typed; the rest of a longer one is dropped. */
const lineLengthMax = 1024 * 1024;

/** Prints what happens line by line, for fakes whose bytes a test wants to know and for output that is no terminal. */
export class PlainLines implements Stage {
  #options: PlainLinesOptions;
  #line = '';
  #answer: ((line: string) => void) | null = null;

  constructor(options: PlainLinesOptions) {
    this.#options = options;
    options.input.setEncoding('utf8');
    options.input.on('data', this.#onData);
    options.input.on('end', options.events.onInputEnd);
    options.write('simulated agent, no model is called\n');
  }

  put(_id: number, entry: Entry, isFinal: boolean): void {
    if (isFinal) this.#options.write(linesOf(entry));
  }

  show(): void {}

  showPlan(): void {}

  showFacts(): void {}

  showQueue(): void {}

  flush(): void {}

  /** The number of an option; `y` and `n` where it asks for permission. Any other line asks again. */
  ask(dialog: Dialog, signal: AbortSignal): Promise<number | null> {
    const options = dialog.options.map((option, index) => `  ${index + 1} ${option}\n`).join('');
    const question = [dialog.title, dialog.command, dialog.text].filter((part) => part !== '').join('\n');
    this.#options.write(`${question}\n${options}`);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#answer = (line) => {
        const letter = dialog.kind === 'permission' ? ['y', 'n'].indexOf(line.toLowerCase()) : -1;
        const option = letter === -1 ? Number(line) - 1 : letter;
        if (dialog.options[option] === undefined) return;
        this.#answer = null;
        resolve(option);
      };
    });
  }

  write(bytes: string | Uint8Array): void {
    this.#options.write(bytes);
  }

  [Symbol.dispose](): void {
    this.#options.input.off('data', this.#onData);
    this.#options.input.off('end', this.#options.events.onInputEnd);
    this.#options.input.pause();
  }

  #onData = (text: string) => {
    const [first = '', ...rest] = text.split(/\r\n?|\n/);
    this.#line = (this.#line + first).slice(0, lineLengthMax);
    for (const part of rest) {
      const line = this.#line;
      this.#line = part;
      if (this.#answer !== null) this.#answer(line.trim());
      else this.#options.events.onPrompt(line);
    }
  };
}

function linesOf(entry: Entry): string {
  switch (entry.kind) {
    case 'you':
    case 'say':
    case 'note':
    case 'end':
      return `${entry.text}\n`;
    case 'tool':
      return `${[`${entry.outcome} ${entry.verb} ${entry.subject} ${entry.result}`, ...entry.lines].join('\n')}\n`;
  }
}
