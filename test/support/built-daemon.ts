import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { layOutHome, type SnapshotDocument, type StatusDocument } from '../../src/protocol/index.ts';

const root = resolve(import.meta.dirname, '../..');
const builtLauncher = join(root, 'bin/concert');

export interface ReadyLine {
  ready: boolean;
  code?: string;
  message?: string;
}

/**
 * The built program in a home of its own: start it, ask it, kill it. Disposing ends every process the home has, by pid:
 * the daemon, the children of each holder, the holders.
 */
export class BuiltDaemon implements AsyncDisposable {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  child: ChildProcess | null = null;
  /** What the daemon says on standard error. */
  logPath: string;
  /** The program that is started; another build may take over the same home. */
  launcher = builtLauncher;

  constructor(home: string, env: Record<string, string> = {}) {
    if (!existsSync(join(root, 'dist/main.js'))) throw new Error('Run npm run build first: dist/main.js is missing');
    this.home = home;
    this.logPath = join(home, 'daemon.log');
    this.env = { PATH: process.env['PATH'], HOME: home, CONCERT_HOME: home, LANG: 'C.UTF-8', ...marker(), ...env };
  }

  get paths() {
    return layOutHome(this.env, process.getuid?.() ?? 0);
  }

  /** Resolves with what the daemon says of itself once it serves or has given up. */
  async start(args: readonly string[] = []): Promise<ReadyLine> {
    mkdirSync(this.home, { recursive: true });
    const log = openSync(this.logPath, 'a', 0o600);
    const child = spawn(process.execPath, [this.launcher, 'daemon', ...args], {
      env: this.env,
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
    closeSync(log);
    this.child = child;
    const ready = child.stdio[3] as Readable;
    let text = '';
    for await (const chunk of ready) text += String(chunk);
    if (text === '') throw new Error(`The daemon ended without a word: ${this.log()}`);
    return JSON.parse(text) as ReadyLine;
  }

  /** SIGKILL, and the wait for its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  log(): string {
    return readFileSync(this.logPath, 'utf8').slice(-4000);
  }

  get(path: string): Promise<{ status: number; body: Buffer }> {
    return this.ask('GET', path);
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.ask(method, path, body);
    const parsed = JSON.parse(answer.body.toString('utf8')) as T;
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString('utf8')}`);
    return parsed;
  }

  status(): Promise<StatusDocument> {
    return this.json('GET', '/v1/status');
  }

  async sessions() {
    const { documents } = await this.json<SnapshotDocument>('GET', '/v1/snapshot');
    return documents.flatMap((keyed) => (keyed.kind === 'session' ? [keyed.document] : []));
  }

  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      // Said outright: a DELETE gets no length by itself and its body would read as another request.
      const headers = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
      const call = request({ socketPath: this.paths.socket, method, path, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
        response.on('error', reject);
      });
      call.on('error', reject);
      call.end(text);
    });
  }

  /** Pids of living holders, from what they registered. */
  holderPids(): number[] {
    try {
      return readdirSync(this.paths.registry)
        .filter((name) => name.endsWith('.json'))
        .map((name) => (JSON.parse(readFileSync(join(this.paths.registry, name), 'utf8')) as { pid: number }).pid);
    } catch {
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll();
  }

  /** As a reboot does: the daemon, the holders and their children, at once. */
  async killAll(): Promise<void> {
    await this.kill();
    for (const pid of this.holderPids()) {
      for (const child of childrenOf(pid)) signalQuietly(-child, 'SIGKILL');
      signalQuietly(pid, 'SIGKILL');
      await gone(pid);
    }
  }
}

function marker(): Record<string, string> {
  const run = process.env['CONCERT_TEST_RUN'];
  return run === undefined ? {} : { CONCERT_TEST_RUN: run };
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what was wanted.
  }
}

/** Resolves when the process has ended; the kernel tells nobody but the parent, so this looks. */
async function gone(pid: number): Promise<void> {
  for (let look = 0; look < 200 && isAlive(pid); look++) await new Promise((resolve) => setTimeout(resolve, 10));
}
