import { execFileSync } from 'node:child_process';
import { type IPty, spawn } from 'node-pty';

/** A tmux server on a socket of its own, with default settings but no status line; ended with everything in it. */
export class Tmux implements Disposable {
  readonly #socket = `concert-bench-${process.pid}-${Math.floor(performance.now())}`;

  run(...args: string[]): string {
    const env = { ...process.env, TERM: 'xterm-256color', TMUX: '' };
    return execFileSync('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args], { encoding: 'utf8', env }).trim();
  }

  start(name: string, command: string, columns = 80, rows = 24): void {
    this.run('new-session', '-d', '-s', name, '-x', String(columns), '-y', String(rows), command);
    this.run('set', '-g', 'status', 'off');
    this.run('set', '-s', 'escape-time', '0');
  }

  get serverPid(): number {
    return Number(this.run('display', '-p', '#{pid}'));
  }

  /** An attached client in a PTY of ours, drained. */
  attach(name: string, columns = 80, rows = 24, onData: (data: Buffer) => void = () => {}): IPty {
    const env = { ...process.env, TERM: 'xterm-256color', TMUX: '' };
    const client = spawn('tmux', ['-L', this.#socket, 'attach', '-t', name], {
      cols: columns,
      rows,
      env,
      encoding: null,
    });
    client.onData((data) => onData(data as unknown as Buffer));
    return client;
  }

  [Symbol.dispose](): void {
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
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '-qq', 'tmux'], { stdio: 'ignore' });
    return version();
  }
}
