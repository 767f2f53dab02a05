import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { stop, transform } from 'esbuild';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from './bootstrap.mjs';

/** Ready for a signal, says what it got; waits for one when told to, else exits with 3. */
const program = `
process.on('SIGTERM', () => process.exit(7));
console.log(JSON.stringify({ args: process.argv.slice(2), version: process.versions.node }));
if (process.argv[2] === 'wait') setInterval(() => {}, 60_000);
process.exitCode = 3;
`;

let clone: string;
let home: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'clone-'));
  home = join(clone, 'home');
  mkdirSync(home, { mode: 0o700 });
  cpSync(join(root, 'bin'), join(clone, 'bin'), { recursive: true });
  write('dist/main.js', program);
  write('package.json', '{"type":"module"}');
  // Stands for an older Node: the launcher knows its runtime by this number alone.
  write('old.cjs', "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });");
});
afterEach(() => rmSync(clone, { recursive: true }));
afterAll(stop);

function write(path: string, content: string): void {
  mkdirSync(join(clone, path, '..'), { recursive: true });
  writeFileSync(join(clone, path), content);
}

function pinRuntime(version = '24.21.0'): void {
  write('node_modules/node/package.json', JSON.stringify({ version }));
  mkdirSync(join(clone, 'node_modules/node/bin'));
  symlinkSync(process.execPath, join(clone, 'node_modules/node/bin/node'));
}

type Launched = ChildProcessByStdio<null, Readable, Readable>;

function launch(args: readonly string[], { old = false } = {}): Launched {
  const preload = old ? ['--require', join(clone, 'old.cjs')] : [];
  return spawn(process.execPath, [...preload, join(clone, 'bin/concert'), ...args], {
    env: { CONCERT_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finish(child: Launched) {
  const [out, err, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { out, err, code, signal };
}

const greeting = (args: string[]) => `${JSON.stringify({ args, version: process.versions.node })}\n`;

it('runs the program on a new enough Node, with its arguments and exit code', async () => {
  expect(await finish(launch(['run', 'a b', '']))).toEqual({
    out: greeting(['run', 'a b', '']),
    err: '',
    code: 3,
    signal: null,
  });
});

it('says what to do when the program is not built', async () => {
  rmSync(join(clone, 'dist'), { recursive: true });
  expect(await finish(launch([]))).toEqual({
    out: '',
    err: 'This clone is not built yet: run "npm run build"\n',
    code: 2,
    signal: null,
  });
});

describe('on a Node that is too old', () => {
  it('runs the program on the pinned runtime, with its arguments and exit code', async () => {
    pinRuntime();
    expect(await finish(launch(['run', 'a b', ''], { old: true }))).toEqual({
      out: greeting(['run', 'a b', '']),
      err: '',
      code: 3,
      signal: null,
    });
  });

  it('passes a signal on and ends as the program does', async () => {
    pinRuntime();
    const child = launch(['wait'], { old: true });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await finish(child)).toMatchObject({ code: 7, signal: null });
  });

  it('dies of the signal the program died of', async () => {
    pinRuntime();
    const child = launch(['wait'], { old: true });
    await once(child.stdout, 'data');
    child.kill('SIGHUP');
    expect(await finish(child)).toMatchObject({ code: null, signal: 'SIGHUP' });
  });

  it.each([
    ['there is no pinned runtime', () => {}],
    ['the pinned one is too old as well', () => pinRuntime('20.0.0')],
  ])('says in one sentence what it needs when %s', async (_, prepare) => {
    prepare();
    const end = await finish(launch([], { old: true }));
    expect(end).toMatchObject({ out: '', code: 2 });
    expect(end.err).toMatch(/^Concertmaster needs Node 22\.12 or newer and this is 20\.20\.2: [^\n]*\n$/);
  });
});

describe('compiled code', () => {
  it('is kept in a folder of the home that is ours alone', async () => {
    await finish(launch([]));
    expect(statSync(join(home, 'cache')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(home, 'cache/compile'))).toHaveLength(1);
  });

  it('is not kept where others may write', async () => {
    mkdirSync(join(home, 'cache'));
    chmodSync(join(home, 'cache'), 0o777);
    expect(await finish(launch([]))).toMatchObject({ code: 3, err: '' });
    expect(readdirSync(join(home, 'cache'))).toEqual([]);
  });

  it('needs no home to exist and makes none', async () => {
    rmSync(home, { recursive: true });
    expect(await finish(launch([]))).toMatchObject({ code: 3, err: '' });
    expect(readdirSync(clone)).not.toContain('home');
  });
});

it.each(['concert', 'run-child.js'])('%s is in the JavaScript of Node 12', async (name) => {
  const source = readFileSync(join(root, 'bin', name), 'utf8');
  const [lowered, kept] = await Promise.all(
    ['node12.20', 'esnext'].map((target) => transform(source, { target, format: 'cjs', platform: 'node' })),
  );
  expect(lowered?.code).toBe(kept?.code);
});
