import xterm, { type Terminal } from '@xterm/headless';
import { type IPty, spawn } from 'node-pty';

export interface PersonOptions {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string;
  columns?: number;
  rows?: number;
}

/** Someone at a terminal: a real PTY, a screen that shows what the program prints, and keys to press. */
export class Person implements Disposable {
  readonly #pty: IPty;
  readonly #screen: Terminal;
  readonly #watchers = new Set<() => void>();
  readonly ended: Promise<{ exitCode: number; signal: number | undefined }>;
  /** Everything the program printed. */
  printed = '';
  titles: string[] = [];
  #hasEnded = false;

  constructor({ argv: [file = '', ...args], env, cwd, columns = 80, rows = 24 }: PersonOptions) {
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#screen.onTitleChange((title) => this.titles.push(title));
    this.#pty = spawn(file, args, {
      cols: columns,
      rows,
      env: { TERM: 'xterm-256color', ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#pty.onData((data) => {
      this.printed += data;
      this.#screen.write(data, () => this.#look());
    });
    this.ended = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => {
        // What was printed last is still on its way through the screen; only behind it is the end.
        this.#screen.write('', () => {
          this.#hasEnded = true;
          this.#look();
          resolve({ exitCode, signal });
        });
      });
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** The terminal stops taking output, as one that is stopped or far away. */
  stopReading(): void {
    this.#pty.pause();
  }

  readOn(): void {
    this.#pty.resume();
  }

  kill(signal: string): void {
    this.#pty.kill(signal);
  }

  /** Rows as shown, without trailing blanks. */
  rows(): string[] {
    const { active } = this.#screen.buffer;
    return Array.from(
      { length: this.#screen.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true, 0, this.#screen.cols) ?? '',
    );
  }

  /** With what has scrolled off. */
  allRows(): string[] {
    const { active } = this.#screen.buffer;
    return Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true) ?? '');
  }

  get modes() {
    const { mouseTrackingMode, bracketedPasteMode, sendFocusMode, applicationCursorKeysMode } = this.#screen.modes;
    return {
      mouseTrackingMode,
      bracketedPasteMode,
      sendFocusMode,
      applicationCursorKeysMode,
      buffer: this.#screen.buffer.active.type,
    };
  }

  /** Resolves when the screen shows it; rejects with the screen when the program ends first. */
  async sees(text: string | RegExp): Promise<void> {
    await this.until(
      () => this.rows().some((row) => (typeof text === 'string' ? row.includes(text) : text.test(row))),
      String(text),
    );
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (holds()) resolve();
        else if (this.#hasEnded) reject(new Error(`Never saw ${what}; the screen was:\n${this.rows().join('\n')}`));
        else return;
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
    });
  }

  [Symbol.dispose](): void {
    if (!this.#hasEnded) this.#pty.kill('SIGKILL');
    this.#screen.dispose();
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
