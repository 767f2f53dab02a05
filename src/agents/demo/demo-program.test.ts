import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, stop } from 'esbuild';
import { type IPty, spawn } from 'node-pty';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Evidence } from '../../fleet/index.ts';
import type { SessionState } from '../../protocol/index.ts';
import type { StatusRecord } from '../agent.ts';
import { createDemoAgent } from './demo-agent.ts';
import { createDemoProject } from './demo-project.ts';
import { type DemoTask, demoTasks } from './demo-tasks.ts';

const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof import('@xterm/headless');

/** The bundled program, and the repository all tests take their worktrees from. */
let built: string;
let repo: string;
let agent: ReturnType<typeof createDemoAgent>;
let worktrees = 0;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), 'demo-built-'));
  const entry = join(built, 'demo-agent.js');
  const source = new URL('./program/main.ts', import.meta.url).pathname;
  await build({ entryPoints: [source], outfile: entry, bundle: true, platform: 'node', format: 'esm' });
  await stop();
  agent = createDemoAgent({ nodePath: process.execPath, entry });
  repo = join(built, 'repo');
  await createDemoProject({ folder: repo });
});

afterAll(() => {
  rmSync(built, { recursive: true, force: true });
});

describe.concurrent('the demo fleet', () => {
  const ends: Record<string, { after: SessionState[]; commits: string[]; press?: string }> = {
    'checkout-tax': {
      after: ['working', 'blocked', 'working', 'review'],
      commits: ['Charge VAT at checkout'],
      press: 'y',
    },
    'search-index': { after: ['working'], commits: ['Rebuild search shards 1 and 2'] },
    'fix-flaky-login': { after: ['working', 'review'], commits: ['Give every login a token of its own'] },
    'logo-fix': { after: ['working', 'unknown', 'working'], commits: ['Centre the mark in the logo'] },
    'release-notes': {
      after: ['working', 'parked', 'working', 'review'],
      commits: ['Release 1.4.0', 'Write the notes of the next release'],
    },
    'rate-limits': {
      after: ['working', 'blocked', 'working', 'review'],
      commits: ['Limit requests per API key'],
      press: '1',
    },
    'refactor-cart': { after: ['ready'], commits: [] },
    'e2e-mobile': { after: ['working', 'failed'], commits: [] },
  };

  test.each(demoTasks)('$name plays its states and really works', async (task) => {
    await using place = new Place();
    const { after, commits, press } = ends[task.name] ?? { after: [], commits: [] };
    const demo = place.start(task, { speed: 50 });
    if (press !== undefined) {
      await demo.until(() => demo.state === 'blocked' && demo.screen().includes('▸ 1'));
      await demo.press(press);
    }
    if (task.name === 'logo-fix') expect(await demo.exit()).toEqual({ exitCode: 0, signal: 0 });
    else await demo.until(() => demo.state === after.at(-1) && demo.screen().includes(commits[0] ?? ''));
    expect(demo.states).toEqual(after);
    // Its screen names a commit while git still makes it.
    const log = () => git(demo.cwd, 'log', '--format=%s', 'main..HEAD').split('\n').filter(Boolean);
    for (let look = 0; look < 300 && log().join() !== commits.join(); look++) {
      await new Promise((wake) => setTimeout(wake, 50));
    }
    expect(log()).toEqual(commits);
    if (demo.state === 'review') expect(git(demo.cwd, 'status', '--porcelain')).toBe('');
  });
});

describe.concurrent('dialogs', () => {
  test('no means no: it says so and goes on without', async () => {
    await using place = new Place();
    const demo = place.start('checkout-tax', { speed: 50 });
    await demo.until(() => demo.state === 'blocked');
    expect(demo.evidence.at(-1)).toMatchObject({
      signal: 'blocked:permission',
      detail: 'run node scripts/migrate.js --env staging?',
    });
    await demo.press('n');
    await demo.until(() => demo.state === 'review');
    expect(demo.screen()).toContain('You said no to: node scripts/migrate.js');
    expect(git(demo.cwd, 'log', '--format=%s', '-1')).toBe('Charge VAT at checkout, migration to follow\n');
    expect(readFileSync(join(demo.cwd, 'db/staging.json'), 'utf8')).not.toContain('tax_region');
  });

  test('arrows and Enter choose, and the answer goes into the code', async () => {
    await using place = new Place();
    const demo = place.start('rate-limits', { speed: 50 });
    await demo.until(() => demo.screen().includes('▸ 1'));
    await demo.press('\x1b[B');
    await demo.until(() => demo.screen().includes('▸ 2'));
    await demo.press('\r');
    await demo.until(() => demo.state === 'review');
    expect(readFileSync(join(demo.cwd, 'src/rate-limit.js'), 'utf8')).toContain('request.accountId');
  });

  test('Esc at a question interrupts the turn', async () => {
    await using place = new Place();
    const demo = place.start('rate-limits', { speed: 50 });
    await demo.until(() => demo.screen().includes('▸ 1'));
    await demo.press('\x1b');
    await demo.until(() => demo.state === 'ready' && demo.screen().includes('Interrupted by you.'));
    await demo.press('continue\r');
    await demo.until(() => demo.state === 'blocked');
  });

  test('a key in the first moment of a dialog is ignored', async () => {
    await using place = new Place();
    const demo = place.start('any-task', { speed: 0.1, scenario: [askAtOnce] });
    await demo.until(() => demo.state === 'blocked');
    await demo.press('y');
    while (!demo.screen().includes('You ')) {
      await demo.press('n');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(demo.screen()).toContain('You said no to: make');
  });
});

describe.concurrent('prompts', () => {
  test('what is typed at rest starts another turn, as the adapter types it', async () => {
    await using place = new Place();
    const demo = place.start('refactor-cart', { speed: 50 });
    await demo.until(() => demo.state === 'ready' && demo.screen().includes('Type any task'));
    await demo.submit('Move the discounts out');
    await demo.until(() => demo.state === 'review');
    await demo.submit('--and note "this"\nand this\x1b[201~');
    await demo.until(() => demo.states.filter((state) => state === 'review').length === 2);
    expect(git(demo.cwd, 'log', '--format=%s', 'main..HEAD')).toBe(
      'Note what was asked\nGive discounts a file of their own\n',
    );
    expect(readFileSync(join(demo.cwd, 'NOTES.md'), 'utf8')).toBe('- --and note "this"\n');
  });

  test('what is typed during a turn waits for its end', async () => {
    await using place = new Place();
    const demo = place.start('fix-flaky-login', { speed: 20, columns: 120, rows: 40 });
    await demo.until(() => demo.state === 'working');
    await demo.submit('and then this');
    await demo.until(() => demo.screen().includes('Queued for the end of the turn'));
    await demo.until(() => demo.states.filter((state) => state === 'review').length === 2);
    expect(git(demo.cwd, 'log', '--format=%s', '-2')).toBe(
      'Note what was asked\nGive every login a token of its own\n',
    );
  });

  test('a megabyte is one prompt', async () => {
    await using place = new Place();
    const demo = place.start('refactor-cart', { speed: 50, scenario: [{ do: 'say', text: 'Read.' }] });
    await demo.until(() => demo.state === 'ready');
    await demo.submit('word '.repeat(200_000));
    await demo.until(() => demo.state === 'review');
    expect(demo.states).toEqual(['ready', 'working', 'review']);
    const [kept = ''] = readFileSync(join(place.home, 'private', `${demo.conversation}.jsonl`), 'utf8').split('\n');
    expect(JSON.parse(kept)).toMatchObject({
      id: 1,
      entry: { kind: 'you', text: expect.stringMatching(/^(word ){9999}/) },
    });
  });

  test('Esc interrupts the turn; continue goes on with it', async () => {
    await using place = new Place();
    const scenario = [
      { do: 'edit', path: 'NOTES.md', content: 'noted\n' },
      { do: 'think', ms: 100_000, label: 'Thinking hard' },
      { do: 'commit', message: 'Note it' },
    ];
    const demo = place.start('any-task', { speed: 50, scenario });
    await demo.until(() => demo.screen().includes('Thinking hard'));
    await demo.type(agent.interrupt() ?? []);
    await demo.until(() => demo.state === 'ready');
    expect(demo.evidence.at(-1)).toMatchObject({ signal: 'idle', detail: 'Interrupted' });
    await demo.submit('continue');
    await demo.until(() => demo.state === 'review');
    expect(git(demo.cwd, 'log', '--format=%s', 'main..HEAD')).toBe('Note it\n');
  });

  test('retry makes the failed turn pass', async () => {
    await using place = new Place();
    const demo = place.start('e2e-mobile', { speed: 50 });
    await demo.until(() => demo.state === 'failed');
    expect(demo.evidence.at(-1)).toMatchObject({ signal: 'error', detail: 'emulator did not boot, 2 retries' });
    await demo.submit('retry');
    await demo.until(() => demo.state === 'review');
    expect(git(demo.cwd, 'log', '--format=%s', '-1')).toBe('Boot the emulator from a fresh image\n');
  });
});

describe.concurrent('ends', () => {
  test('SIGTERM in the middle of a test run restores the terminal and leaves nothing behind', async () => {
    await using place = new Place();
    const scenario = [
      { do: 'edit', path: 'test/slow.test.js', content: 'setTimeout(() => {}, 60_000);\n' },
      { do: 'test', files: ['test/slow.test.js'] },
    ];
    const demo = place.start('any-task', { speed: 50, scenario });
    // The program, the test runner and the test.
    await demo.until(() => processesIn(place.home).length === 3);
    expect(demo.terminal.buffer.active.type).toBe('alternate');
    process.kill(demo.pid, 'SIGTERM');
    expect(await demo.exit()).toEqual({ exitCode: 143, signal: 0 });
    expect(demo.terminal.buffer.active.type).toBe('normal');
    expect(demo.terminal.modes.bracketedPasteMode).toBe(false);
    expect(demo.screen()).toContain('Simulated session any-task ended.');
  });

  test('Ctrl+C twice quits, once only says so', async () => {
    await using place = new Place();
    const demo = place.start('refactor-cart', { speed: 50 });
    await demo.until(() => demo.state === 'ready');
    await demo.press('\x03');
    await demo.until(() => demo.screen().includes('Ctrl+C again'));
    await demo.press('\x03');
    expect(await demo.exit()).toEqual({ exitCode: 0, signal: 0 });
  });

  test('killed at work, it resumes with its history and goes on', async () => {
    await using place = new Place();
    const killed = place.start('fix-flaky-login', { speed: 10 });
    await killed.until(() => killed.screen().includes('A token is made of the user'));
    process.kill(killed.pid, 'SIGKILL');
    await killed.exit();
    const resumed = place.start('fix-flaky-login', { speed: 50, resume: killed });
    await resumed.until(() => resumed.state === 'ready' && resumed.screen().includes('The last turn was cut'));
    expect(resumed.screen()).toMatch(/Test +test\/login\.test\.js +3 passed, 1 failed/);
    await resumed.submit('continue');
    await resumed.until(() => resumed.state === 'review');
    expect(git(resumed.cwd, 'log', '--format=%s', 'main..HEAD')).toBe('Give every login a token of its own\n');
    expect(resumed.conversation).toBe(killed.conversation);
  });

  test.each([
    [['--scenario', 'nowhere'], /No scenario is called "nowhere"/],
    [['--scenario', 'gone.json'], /Cannot play "gone.json": ENOENT/],
    [['--speed', '0'], /--speed must be a number above 0/],
    [['--colour'], /Unknown option/],
    [['--resume', 'c-none', '--log-dir', '.'], /There is no conversation c-none/],
  ])('refuses %j with a sentence', async (argv, sentence) => {
    await using place = new Place();
    const demo = place.open({ argv: [process.execPath, join(built, 'demo-agent.js'), ...argv], cwd: place.home });
    expect(await demo.exit()).toEqual({ exitCode: 2, signal: 0 });
    expect(demo.screen()).toMatch(sentence);
  });
});

describe.concurrent('terminals', () => {
  test('one that knows no OSC 7501 hears titles instead', async () => {
    await using place = new Place();
    const demo = place.start('e2e-mobile', { speed: 50, answers: 'device-attributes' });
    await demo.until(() => demo.title === 'failed: e2e-mobile (simulated)');
    expect(demo.evidence.filter(({ source }) => source === 'osc7501')).toEqual([]);
    expect(demo.states).toEqual(['working', 'failed']);
  });

  test('one that answers nothing is given up on, and still hears titles', async () => {
    await using place = new Place();
    const demo = place.start('refactor-cart', { speed: 50, answers: 'nothing' });
    await demo.until(() => demo.title === 'ready: refactor-cart (simulated)');
    expect(demo.states).toEqual(['ready']);
  });

  test('one that answers late is told by OSC 7501 from then on', async () => {
    await using place = new Place();
    const demo = place.start('refactor-cart', { speed: 50, answers: 'nothing' });
    await demo.until(() => demo.title === 'ready: refactor-cart (simulated)');
    await demo.press('\x1b]7501;?\x1b\\');
    await demo.until(() => demo.title === 'refactor-cart (simulated)');
    expect(demo.evidence.at(-2)).toMatchObject({ source: 'osc7501', state: 'ready' });
    expect(demo.state).toBe('ready');
  });

  test('one that knows it hears no state in the title', async () => {
    await using place = new Place();
    const demo = place.start('e2e-mobile', { speed: 50 });
    await demo.until(() => demo.state === 'failed');
    expect(demo.title).toBe('e2e-mobile (simulated)');
  });

  test('whatever its size, the screen says simulated and fits', async () => {
    await using place = new Place();
    const demo = place.start('checkout-tax', { speed: 50 });
    await demo.until(() => demo.screen().includes('▸ 1'));
    for (const [columns, rows] of [
      [120, 40],
      [40, 12],
      [20, 5],
      [80, 24],
    ] as const) {
      demo.resize(columns, rows);
      await demo.until(() => demo.rows()[0]?.includes('simulated') === true && demo.screen().includes('No'));
      expect(demo.terminal.buffer.active.baseY, 'nothing scrolled').toBe(0);
    }
  });

  test('nothing is written while nothing changes', async () => {
    await using place = new Place();
    const demo = place.start('refactor-cart', { speed: 50 });
    await demo.until(() => demo.state === 'ready');
    const before = await demo.quiet();
    expect(await demo.quiet()).toBe(before);
  });
});

describe.concurrent('fakes', () => {
  test('a plain scenario prints known bytes and ends with its code', async () => {
    await using place = new Place();
    const steps = [
      { do: 'print', base64: Buffer.from('\x1b[1mraw\x1b[0m\n').toString('base64') },
      { do: 'flood', bytes: 300_000 },
      { do: 'exit', code: 7 },
    ];
    const record = join(place.home, 'record');
    const demo = place.start('echo', { speed: 1, scenario: steps, screen: 'plain', argv: ['--record', record] });
    expect(await demo.exit()).toEqual({ exitCode: 7, signal: 0 });
    const written = readFileSync(record);
    expect(written.length).toBe('simulated agent, no model is called\n\x1b[1mraw\x1b[0m\n'.length + 300_000);
    expect(hash(demo.bytes())).toBe(hash(Buffer.from(written.toString().replaceAll('\n', '\r\n'))));
  });

  test('echo answers line by line', async () => {
    await using place = new Place();
    const demo = place.start('echo', { speed: 1 });
    await demo.until(() => demo.screen().includes('simulated agent'));
    await demo.press('hello\r');
    await demo.until(() => demo.screen().includes('you said: hello'));
  });

  test('outside the demo repository it changes nothing', async () => {
    await using place = new Place();
    const cwd = join(place.home, 'theirs');
    mkdirSync(cwd);
    execFileSync('git', ['init', '-q'], { cwd });
    writeFileSync(join(cwd, 'thesis.txt'), 'years of work');
    const demo = place.start('any-task', { speed: 50, cwd });
    await demo.until(() => demo.state === 'review');
    expect(demo.screen()).toContain('is not the demo repository');
    expect(git(cwd, 'status', '--porcelain')).toBe('?? thesis.txt\n');
  });

  test('a step that leaves the folder is refused and the turn goes on', async () => {
    await using place = new Place();
    const steps = [
      { do: 'edit', path: '../outside.txt', content: 'x' },
      { do: 'say', text: 'On we go.' },
    ];
    const demo = place.start('any-task', { speed: 50, scenario: steps });
    await demo.until(() => demo.state === 'review');
    expect(demo.screen()).toContain('"../outside.txt" lies outside the folder');
    expect(existsSync(join(demo.cwd, '../outside.txt'))).toBe(false);
  });
});

const askAtOnce = { do: 'ask-permission', command: 'make', why: 'because', yes: [], no: [] };

interface StartOptions {
  speed: number;
  columns?: number;
  rows?: number;
  /** Steps to play instead of the ready-made ones. */
  scenario?: readonly object[];
  screen?: 'tui' | 'plain';
  argv?: readonly string[];
  answers?: Answers;
  cwd?: string;
  resume?: Demo;
}

type Answers = 'status' | 'device-attributes' | 'nothing';

/** A folder of one test, and the sessions it starts; closing it ends them and looks for processes left behind. */
class Place implements AsyncDisposable {
  readonly home = mkdtempSync(join(tmpdir(), 'demo-program-'));
  #demos: Demo[] = [];

  /** Starts a session the way the daemon does: worktree, plan, files of the plan, terminal. */
  start(task: DemoTask | string, options: StartOptions): Demo {
    const name = typeof task === 'string' ? task : task.name;
    const prompt = demoTasks.find((each) => each.name === name)?.prompt ?? 'Do it';
    const resumed = options.resume;
    const cwd = options.cwd ?? resumed?.cwd ?? this.#worktree(name);
    const privateDir = join(this.home, 'private');
    mkdirSync(privateDir, { recursive: true });
    const script = join(privateDir, 'scenario.json');
    if (options.scenario !== undefined)
      writeFileSync(script, JSON.stringify({ name, screen: options.screen ?? 'tui', steps: options.scenario }));
    const result = agent.launch({
      session: 's_test',
      incarnation: resumed === undefined ? 1 : 2,
      cwd,
      prompt: resumed === undefined && options.screen !== 'plain' && name !== 'echo' ? prompt : '',
      argv: [
        ...['--scenario', options.scenario === undefined ? name : script],
        ...['--speed', String(options.speed), ...(options.argv ?? [])],
      ],
      env: { PATH: process.env.PATH ?? '', HOME: this.home },
      conversation:
        resumed === undefined ? { kind: 'fresh', id: randomUUID() } : { kind: 'resume', id: resumed.conversation },
      privateDir,
      hooks: null,
      server: null,
      detection: { installed: true, signedIn: null, version: null, path: null, note: null },
    });
    if (!result.ok) throw new Error(result.message);
    const { main, files, conversation } = result.value;
    for (const { path, content } of files) writeFileSync(path, content, { mode: 0o600 });
    return this.open({ ...options, argv: main.argv, cwd, env: main.env, conversation });
  }

  open(options: DemoOptions): Demo {
    const demo = new Demo(options);
    this.#demos.push(demo);
    return demo;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const demo of this.#demos) await demo.end();
    // Children are told to end with the program and may take a moment longer.
    const deadline = Date.now() + 3000;
    while (processesIn(this.home).length > 0 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const left = processesIn(this.home);
    rmSync(this.home, { recursive: true, force: true });
    expect(left, 'processes left behind').toEqual([]);
  }

  #worktree(name: string): string {
    const path = join(this.home, 'tree');
    git(repo, 'worktree', 'add', '--quiet', '-b', `concert/${name}-${++worktrees}`, path, 'main');
    return path;
  }
}

interface DemoOptions {
  argv: readonly string[];
  cwd: string;
  env?: Readonly<Record<string, string>>;
  conversation?: string | null;
  columns?: number;
  rows?: number;
  answers?: Answers;
}

/** The program in a real terminal, its screen, and the state the adapter makes of what it tells. */
class Demo {
  readonly cwd: string;
  readonly conversation: string | null;
  readonly terminal: InstanceType<typeof Terminal>;
  readonly evidence: Evidence[] = [];
  readonly states: SessionState[] = [];
  title = '';
  #pty: IPty;
  #reader: ReturnType<typeof agent.readSignals>;
  #chunks: Buffer[] = [];
  #watchers = new Set<() => void>();
  #hasEnded = false;
  #exit: Promise<{ exitCode: number; signal?: number | undefined }>;

  constructor({ argv, cwd, env = {}, conversation = null, columns = 80, rows = 24, answers = 'status' }: DemoOptions) {
    this.cwd = cwd;
    this.conversation = conversation;
    this.terminal = new Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000 });
    const [program = '', ...rest] = argv;
    this.#pty = spawn(program, rest, {
      cols: columns,
      rows,
      cwd,
      env: { ...env },
      encoding: null,
      name: 'xterm-256color',
    });
    this.#reader = agent.readSignals({ conversation } as Parameters<typeof agent.readSignals>[0]);
    this.terminal.parser.registerOscHandler(7501, (data) => {
      if (data !== '?') this.#hear(data);
      else if (answers === 'status') this.#pty.write('\x1b]7501;?\x1b\\');
      return true;
    });
    this.terminal.onTitleChange((title) => {
      this.title = title;
      this.#take(this.#reader.read({ kind: 'title', at: Date.now(), title }, this.state));
    });
    this.terminal.onData((data) => {
      if (answers !== 'nothing') this.#pty.write(data);
    });
    this.#pty.onData((data) => {
      const chunk = Buffer.from(data as unknown as Uint8Array);
      this.#chunks.push(chunk);
      this.terminal.write(chunk, () => this.#wake());
    });
    this.#exit = new Promise((resolve) =>
      this.#pty.onExit((exit) => {
        this.#hasEnded = true;
        resolve(exit);
      }),
    );
  }

  get pid(): number {
    return this.#pty.pid;
  }

  get state(): SessionState {
    return this.states.at(-1) ?? 'starting';
  }

  rows(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from(
      { length: this.terminal.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
    );
  }

  screen(): string {
    return this.rows().join('\n');
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Waits until the screen or the state is as wanted. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`Not seen in time; state ${this.state} after ${this.states.join(', ')}\n${this.screen()}`));
      }, 15_000);
      this.#watchers.add(look);
    });
  }

  async press(keys: string): Promise<void> {
    this.#pty.write(keys);
  }

  submit(text: string): Promise<void> {
    return this.type(agent.submit(text));
  }

  async type(steps: ReturnType<typeof agent.submit>): Promise<void> {
    for (const { bytes, thenWaitMs } of steps) {
      this.#pty.write(bytes);
      await new Promise((resolve) => setTimeout(resolve, thenWaitMs));
    }
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Bytes written so far, once none came for 300 ms. */
  async quiet(): Promise<number> {
    let before = -1;
    while (before !== this.bytes().length) {
      before = this.bytes().length;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return before;
  }

  /** How it ended, after all it wrote was drawn. */
  async exit(): Promise<{ exitCode: number; signal?: number | undefined }> {
    const exit = await this.#exit;
    await new Promise<void>((resolve) => this.terminal.write('', resolve));
    return exit;
  }

  async end(): Promise<void> {
    if (!this.#hasEnded) process.kill(this.pid, 'SIGTERM');
    await this.#exit;
    this.terminal.dispose();
    this.#watchers.clear();
  }

  #hear(report: string): void {
    const fields = Object.fromEntries(
      report.split(':').map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
    );
    const record: StatusRecord = {
      id: fields.id ?? '',
      state: fields.state as StatusRecord['state'],
      kind: (fields.kind as StatusRecord['kind']) ?? null,
      message: fields.msg === undefined ? null : Buffer.from(fields.msg, 'base64').toString('utf8'),
      app: fields.app ?? null,
      progress: fields.progress === undefined ? null : Number(fields.progress),
    };
    const records = record.state === 'clear' ? [] : [record];
    this.#take(this.#reader.read({ kind: 'status', at: Date.now(), records }, this.state));
  }

  #take(pieces: readonly Evidence[]): void {
    this.evidence.push(...pieces);
    for (const { state } of pieces) if (state !== undefined && state !== this.state) this.states.push(state);
  }

  #wake(): void {
    for (const look of [...this.#watchers]) look();
  }
}

function git(cwd: string, ...argv: string[]): string {
  const env = { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' };
  return execFileSync('git', ['--no-optional-locks', ...argv], { cwd, env, encoding: 'utf8' });
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Processes that still work somewhere below the folder. Empty where the system has no /proc. */
function processesIn(folder: string): string[] {
  if (!existsSync('/proc/self/cwd')) return [];
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      // Gone meanwhile, or not ours to look at.
      return false;
    }
  });
}
