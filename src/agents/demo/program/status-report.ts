import { type DemoReport, plainTitle, tellingTitle } from '../demo-report.ts';

/** A terminal that has not answered by then is taken for one that does not know OSC 7501. A later answer still counts. */
const answerMsMax = 500;
/** The draft allows 4,096 bytes for a whole report; a message of 1,000 characters stays below it in any script. */
const messageLengthMax = 1000;

/**
 * Tells the terminal what the program does: by OSC 7501 when the terminal knows it, else by the window title, never by
 * both. In mode `asked` nothing is told until the terminal answered, answered another query first, or stayed silent.
 */
export class StatusReport implements Disposable {
  /** Settles when it is known how to tell; what is told before is told late. */
  readonly decided: Promise<void>;
  #settle: () => void = () => {};
  #write: (text: string) => void;
  #name: string;
  #channel: 'undecided' | 'status' | 'title' | 'none';
  #told = '';
  #latest: DemoReport = { state: 'clear' };
  #timeout: NodeJS.Timeout | null = null;

  constructor(name: string, mode: 'asked' | 'unasked' | 'none', write: (text: string) => void) {
    this.#write = write;
    this.#name = name;
    this.#channel = mode === 'asked' ? 'undecided' : mode === 'unasked' ? 'status' : 'none';
    if (mode !== 'none') this.#title(plainTitle(name));
    this.decided = new Promise((resolve) => {
      this.#settle = resolve;
    });
    if (mode !== 'asked') {
      this.#settle();
      return;
    }
    write('\x1b]7501;?\x1b\\\x1b[c');
    this.#timeout = setTimeout(() => this.#decide('title'), answerMsMax);
  }

  heard(answer: 'status' | 'device-attributes'): void {
    if (this.#channel === 'none') return;
    if (answer === 'status' && this.#channel !== 'status') this.#decide('status');
    if (answer === 'device-attributes' && this.#channel === 'undecided') this.#decide('title');
  }

  tell(report: DemoReport): void {
    this.#latest = report;
    const text = this.#channel === 'status' ? encodeReport(report) : titleSequence(tellingTitle(this.#name, report));
    if (this.#channel === 'undecided' || this.#channel === 'none' || text === this.#told) return;
    this.#told = text;
    this.#write(text);
  }

  [Symbol.dispose](): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
  }

  #decide(channel: 'status' | 'title'): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    const wasTitle = this.#channel === 'title';
    this.#channel = channel;
    this.tell(this.#latest);
    if (wasTitle) this.#title(plainTitle(this.#name));
    this.#settle();
  }

  #title(title: string): void {
    this.#write(titleSequence(title));
  }
}

function encodeReport({ state, kind, message, progress }: DemoReport): string {
  const fields = [`state=${state}`, 'app=demo'];
  if (kind !== undefined) fields.push(`kind=${kind}`);
  if (message !== undefined && message !== '')
    fields.push(`msg=${Buffer.from(message.slice(0, messageLengthMax)).toString('base64')}`);
  if (progress !== undefined) fields.push(`progress=${Math.round(progress)}`);
  return `\x1b]7501;${fields.join(':')}\x1b\\`;
}

function titleSequence(title: string): string {
  return `\x1b]0;${title}\x07`;
}
