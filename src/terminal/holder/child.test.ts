import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChildExit, ChildSpec, HolderChild, StartChild } from './child.ts';
import { type FakeChild, startFakeChild } from './fake-child.ts';
import { findProblem } from './find-program.ts';
import { startChild } from './start-child.ts';

let root: string;
const open: HolderChild[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'child-'));
});

afterEach(() => {
  for (const child of open.splice(0)) {
    child.signal('SIGKILL', 'group');
    child[Symbol.dispose]();
  }
  rmSync(root, { recursive: true });
});

/** A child and all it said, with something to wait for. */
class Heard {
  output = '';
  errors = '';
  exit: ChildExit | null = null;
  readonly child: HolderChild;
  #waiting: (() => void)[] = [];

  constructor(start: StartChild, spec: Partial<ChildSpec>) {
    const started = start(
      {
        argv: ['sh', '-c', ''],
        cwd: root,
        env: { PATH: '/bin:/usr/bin' },
        io: 'pty',
        columns: 80,
        rows: 24,
        stderr: 'merged',
        ...spec,
      },
      {
        onData: (bytes) => this.#hear(() => (this.output += Buffer.from(bytes).toString('latin1'))),
        onErrors: (bytes) => this.#hear(() => (this.errors += Buffer.from(bytes).toString('latin1'))),
        onExit: (exit) => this.#hear(() => (this.exit = exit)),
      },
    );
    if (!started.ok) throw new Error(started.message);
    this.child = started.child;
    open.push(started.child);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async ended(): Promise<ChildExit> {
    await this.until(() => this.exit !== null);
    return this.exit as ChildExit;
  }

  #hear(note: () => void): void {
    note();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** The programs of the contract: as a shell script, and as a script for a fake. */
interface Program {
  shell: string;
  fake: (child: FakeChild) => void;
}

const programs = {
  /** Prints two lines and ends with 7. */
  brief: {
    shell: 'printf "one;two;"; exit 7',
    fake: (child) => {
      child.print('one;two;');
      child.exit({ code: 7, signal: null });
    },
  },
  /** Gives back what it is given, after saying so. */
  echo: {
    shell: 'test -t 0 && stty raw -echo; printf "ready;"; exec cat',
    fake: (child) => {
      child.onInput = (bytes) => child.print(bytes);
      child.print('ready;');
    },
  },
  /** Prints 300,000 bytes, far more than the kernel keeps for it, then ends. */
  flood: {
    shell: 'test -t 1 && stty raw -opost; printf "ready;"; head -c 300000 /dev/zero | tr "\\0" x; printf "end;"',
    fake: (child) => {
      child.print('ready;');
      child.print('x'.repeat(300_000));
      child.print('end;');
      child.exit({ code: 0, signal: null });
    },
  },
  /** Ends only by a signal it cannot refuse. */
  stubborn: {
    shell: `trap "printf 'term;'" TERM; trap "" HUP; printf "ready;"; while :; do sleep 0.05; done`,
    fake: (child) => {
      child.onSignal = (signal) => {
        if (signal === 'SIGTERM') child.print('term;');
        else if (signal !== 'SIGHUP') child.exit({ code: null, signal });
      };
      child.print('ready;');
    },
  },
} satisfies Record<string, Program>;

const kinds: { name: string; io: 'pty' | 'pipes'; start: (program: Program) => Heard }[] = (
  ['pty', 'pipes'] as const
).flatMap((io) => [
  {
    name: `a real child on ${io}`,
    io,
    start: ({ shell }: Program) => new Heard(startChild, { io, argv: ['sh', '-c', shell] }),
  },
  { name: `a fake child on ${io}`, io, start: ({ fake }: Program) => new Heard(startFakeChild(fake), { io }) },
]);

describe.each(kinds)('$name', ({ start, io }) => {
  test('hands over all it printed, then how it ended', async () => {
    const heard = start(programs.brief);
    expect(await heard.ended()).toEqual({ code: 7, signal: null });
    expect(heard.output).toBe('one;two;');
  });

  test('is typed into, in order', async () => {
    const heard = start(programs.echo);
    await heard.until(() => heard.output === 'ready;');
    for (let i = 0; i < 50; i++) expect(heard.child.write(Buffer.from(`${i},`))).toBe(true);
    await heard.until(() => heard.output.endsWith('49,'));
    expect(heard.output).toBe(`ready;${Array.from({ length: 50 }, (_, i) => `${i},`).join('')}`);
  });

  test('says nothing while paused, not even its end, and everything after', async () => {
    const heard = start(programs.flood);
    heard.child.pause();
    heard.child.resume();
    await heard.until(() => heard.output.length > 0);
    heard.child.pause();
    const { length } = heard.output;
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect({ length: heard.output.length, exit: heard.exit }).toEqual({ length, exit: heard.exit });
    heard.child.resume();
    await heard.ended();
    expect(heard.output.length).toBe('ready;'.length + 300_000 + 'end;'.length);
    expect(heard.output.endsWith('xend;')).toBe(true);
  });

  test('takes signals, and ends by the one it cannot refuse', async () => {
    const heard = start(programs.stubborn);
    await heard.until(() => heard.output === 'ready;');
    expect(heard.child.signal('SIGTERM', 'child')).toBe(true);
    await heard.until(() => heard.output === 'ready;term;');
    expect(heard.child.signal('SIGHUP', 'group')).toBe(true);
    expect(heard.child.signal('SIGKILL', 'group')).toBe(true);
    expect(await heard.ended()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(heard.child.signal('SIGTERM', 'child')).toBe(false);
  });

  test('takes a size in any state', async () => {
    const heard = start(programs.brief);
    heard.child.resize(100, 40);
    await heard.ended();
    heard.child.resize(90, 30);
    expect(heard.child.write(Buffer.from('late'))).toBe(true);
  });

  test('is silent once it was let go', async () => {
    const heard = start(programs.echo);
    await heard.until(() => heard.output === 'ready;');
    heard.child[Symbol.dispose]();
    heard.child.write(Buffer.from('more'));
    await new Promise(setImmediate);
    expect(heard.output).toBe('ready;');
  });

  test.runIf(io === 'pipes')('sees the end of its input', async () => {
    const heard = start({
      shell: 'cat; printf "eof;"; exit 4',
      fake: (child) => {
        child.onInput = (bytes) => child.print(bytes);
        child.onInputEnd = () => {
          child.print('eof;');
          child.exit({ code: 4, signal: null });
        };
      },
    });
    await Promise.resolve();
    heard.child.write(Buffer.from('in;'));
    heard.child.endInput();
    expect(await heard.ended()).toEqual({ code: 4, signal: null });
    expect(heard.output).toBe('in;eof;');
  });

  test.runIf(io === 'pipes')('can keep its errors apart', async () => {
    const program: Program = {
      shell: 'printf out; printf err >&2',
      fake: (child) => {
        child.print('out');
        child.printErrors('err');
        child.exit({ code: 0, signal: null });
      },
    };
    const merged = start(program);
    await merged.ended();
    expect([...merged.output].sort().join('')).toBe('eorrtu');
  });
});

const real = (io: 'pty' | 'pipes', argv: string[], spec: Partial<ChildSpec> = {}) =>
  new Heard(startChild, { io, argv, ...spec });

describe('a real child', () => {
  test.each(['pty', 'pipes'] as const)('on %s gets the environment and the arguments exactly as given', async (io) => {
    const env = { PATH: '/bin:/usr/bin', ODD: ' a\nb="$(c)" ünï', 'npm_config_//x:y': 'kept' };
    const heard = real(io, ['env', '-0'], { env });
    await heard.ended();
    const lines = Buffer.from(heard.output, 'latin1').toString('utf8').replaceAll('\r\n', '\n').split('\0');
    expect(lines.filter(Boolean).sort()).toEqual(
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    );

    const odd = ['$(touch x)', '; rm -rf y', '-n', "it's", ''];
    const echoed = real(io, ['printf', '[%s]', ...odd]);
    await echoed.ended();
    expect(echoed.output).toBe(odd.map((word) => `[${word}]`).join(''));
  });

  test('keeps standard error apart when asked to', async () => {
    const heard = real('pipes', ['sh', '-c', 'printf out; printf err >&2'], { stderr: 'logged' });
    await heard.ended();
    expect({ output: heard.output, errors: heard.errors }).toEqual({ output: 'out', errors: 'err' });
  });

  test('has the size it was given, and hears of another', async () => {
    const heard = real('pty', ['sh', '-c', 'trap "stty size; exit" WINCH; stty size; while :; do sleep 0.02; done']);
    await heard.until(() => heard.output === '24 80\r\n');
    heard.child.resize(132, 43);
    await heard.ended();
    expect(heard.output).toBe('24 80\r\n43 132\r\n');
  });

  test('that is paused keeps all its output, also past its own end', async () => {
    const heard = real('pty', ['sh', '-c', 'stty raw -echo -opost; printf start; read go; printf "the end"; exit 5']);
    await heard.until(() => heard.output === 'start');
    heard.child.pause();
    heard.child.write(Buffer.from('\n'));
    const { pid } = heard.child;
    // A zombie would be reaped by the addon's thread; until then the process is there.
    while (isThere(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(heard.output).toBe('start');
    expect(heard.exit).toBe(null);
    heard.child.resume();
    expect(await heard.ended()).toEqual({ code: 5, signal: null });
    expect(heard.output).toBe('startthe end');
  });

  test('that closes its terminal before it exits is not hung up for it, and may open it again', async () => {
    const heard = real('pty', ['sh', '-c', 'printf one; exec <&- >&- 2>&-; sleep 0.3; printf two >/dev/tty; exit 6']);
    expect(await heard.ended()).toEqual({ code: 6, signal: null });
    expect(heard.output).toBe('onetwo');
    const quick = Array.from({ length: 20 }, () => real('pty', ['sh', '-c', 'exec <&- >&- 2>&-; exit 8']));
    for (const one of quick) expect(await one.ended()).toEqual({ code: 8, signal: null });
  });

  test.each(['pty', 'pipes'] as const)(
    'on %s ends though something it left behind keeps its output open',
    async (io) => {
      const heard = real(io, ['sh', '-c', 'trap "" HUP; sleep 30 & trap - HUP; printf "left $!;"; exit 3']);
      expect(await heard.ended()).toEqual({ code: 3, signal: null });
      const left = Number(/left (\d+);/.exec(heard.output)?.[1]);
      expect(isThere(left)).toBe(true);
      process.kill(left, 'SIGKILL');
    },
  );

  test('that does not read takes input up to a bound, without the holder spinning or blocking', async () => {
    const heard = real('pty', ['sh', '-c', 'stty raw -echo; printf ready; exec sleep 30']);
    await heard.until(() => heard.output === 'ready');
    const before = process.cpuUsage();
    const started = performance.now();
    let taken = 0;
    while (heard.child.write(Buffer.alloc(65_536, 0x61))) taken += 65_536;
    expect(taken).toBeGreaterThanOrEqual(1024 * 1024 - 65_536);
    expect(taken).toBeLessThan(1024 * 1024 + 65_536);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const used = process.cpuUsage(before);
    expect((used.user + used.system) / 1000).toBeLessThan((performance.now() - started) / 2);
  });

  test('leads a process group of its own', async () => {
    for (const io of ['pty', 'pipes'] as const) {
      const heard = real(io, ['sh', '-c', 'printf ready; sleep 30 & sleep 30; printf never']);
      await heard.until(() => heard.output === 'ready');
      expect(heard.child.signal('SIGKILL', 'group')).toBe(true);
      expect(await heard.ended()).toEqual({ code: null, signal: 'SIGKILL' });
      expect(heard.output).toBe('ready');
    }
  });
});

function isThere(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

describe('a program that cannot be started', () => {
  const env = { PATH: '/bin:/usr/bin' };
  const problemOf = (argv: string[], spec: Partial<ChildSpec> = {}) => findProblem({ argv, cwd: root, env, ...spec });

  test('is told for what it is', () => {
    writeFileSync(join(root, 'plain'), 'echo hi');
    writeFileSync(join(root, 'script'), '#!/no/such/interpreter -x\n', { mode: 0o755 });
    expect(problemOf(['no-such-program'])).toMatchObject({ error: 'binary-missing' });
    expect(problemOf(['/no/such/program'])).toMatchObject({ error: 'binary-missing' });
    expect(problemOf(['./plain'])).toMatchObject({ error: 'not-executable' });
    expect(problemOf(['plain'], { env: { PATH: `/bin:${root}` } })).toMatchObject({ error: 'not-executable' });
    expect(problemOf(['./script'])).toMatchObject({ error: 'not-executable', message: /interpreter/ });
    expect(problemOf([root])).toMatchObject({ error: 'not-executable' });
    expect(problemOf(['sh'], { cwd: join(root, 'gone') })).toMatchObject({ error: 'cwd-missing' });
    expect(problemOf(['sh'], { cwd: join(root, 'plain') })).toMatchObject({ error: 'cwd-missing' });
    expect(problemOf([''])).toMatchObject({ error: 'binary-missing' });
    expect(problemOf(['sh', 'x'.repeat(200_000)])).toMatchObject({ error: 'spawn-failed' });
    expect(problemOf(['sh'], { env: { PATH: '/bin', BIG: 'x'.repeat(200_000) } })).toMatchObject({
      error: 'spawn-failed',
    });
  });

  test('is not confused with one that can', () => {
    writeFileSync(join(root, 'fine'), '#! /bin/sh\n', { mode: 0o755 });
    expect(problemOf(['sh'])).toBe(null);
    expect(problemOf(['sh'], { env: {} })).toBe(null);
    expect(problemOf(['./fine'])).toBe(null);
    expect(problemOf(['fine'], { env: { PATH: '' } })).toBe(null);
  });
});
