import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type IPty, spawn } from 'node-pty';
import { endWithUs } from './end-with-us.ts';

export interface PaneSize {
  columns: number;
  rows: number;
}

/** As much history as our screens keep, no status line to draw, and no wait after an escape. */
const settings = ['set -g history-limit 1000', 'set -g status off', 'set -s escape-time 0', ''].join('\n');

/** A tmux server on a socket of its own; ended with everything in it. */
export class Tmux implements Disposable {
  readonly #arguments: readonly string[];
  readonly #env = { ...process.env, TERM: 'xterm-256color', TMUX: '' };
  readonly #clients: IPty[] = [];
  readonly #last = endWithUs(() => this.#endServer());

  /** `folder` takes its socket and its settings. */
  constructor(folder: string) {
    const config = join(folder, 'tmux.conf');
    writeFileSync(config, settings);
    this.#arguments = ['-S', join(folder, 'tmux'), '-f', config];
  }

  run(...args: string[]): string {
    return execFileSync('tmux', [...this.#arguments, ...args], { encoding: 'utf8', env: this.#env }).trim();
  }

  start(name: string, argv: readonly string[], { columns, rows }: PaneSize): void {
    this.run('new-session', '-d', '-s', name, '-x', String(columns), '-y', String(rows), ...argv);
  }

  get serverPid(): number {
    return Number(this.run('display', '-p', '#{pid}'));
  }

  panePid(name: string): number {
    return Number(this.run('display', '-p', '-t', name, '#{pane_pid}'));
  }

  /** Terminal devices of all panes. */
  get terminals(): string[] {
    return this.run('list-panes', '-a', '-F', '#{pane_tty}').split('\n');
  }

  /** An attached client in a PTY of ours, drained. */
  attach(name: string, { columns, rows }: PaneSize, onData: (bytes: Buffer) => void): IPty {
    const args = [...this.#arguments, 'attach', '-t', name];
    const client = spawn('tmux', args, { cols: columns, rows, env: this.#env, encoding: null });
    client.onData((data) => onData(data as unknown as Buffer));
    this.#clients.push(client);
    return client;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.kill();
    this.#endServer();
    this.#last[Symbol.dispose]();
  }

  #endServer(): void {
    try {
      this.run('kill-server');
    } catch {
      // It ends by itself with its last session.
    }
  }
}

/** Installs tmux where it is missing and may be installed; the benches compare with it in the same run. */
export function ensureTmux(): string {
  const version = () => execFileSync('tmux', ['-V'], { encoding: 'utf8' }).trim();
  try {
    return version();
  } catch {
    process.stderr.write('Installing tmux\n');
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '-qq', 'tmux'], { stdio: 'ignore' });
    return version();
  }
}
