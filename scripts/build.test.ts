import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stop } from 'esbuild';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { root } from './bootstrap.mjs';
import { buildBundles } from './build.ts';

const entries = { main: 'src/main.ts', worker: 'src/worker.ts', later: 'src/not-written-yet.ts' };
let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'build-'));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  write('package.json', '{"type":"module","version":"1.2.3"}');
  write('package-lock.json', '{}');
  write('scripts/build.ts', '');
  write('src/main.ts', "if (process.argv[2] === 'serve') (await import('./serve.ts')).serve();\n");
  write(
    'src/serve.ts',
    "import { WebSocketServer } from 'ws';\nexport function serve() { console.log(typeof WebSocketServer); }\n",
  );
  write('src/worker.ts', "import { serve } from './serve.ts';\nserve();\n");
});
afterEach(() => rmSync(tree, { recursive: true }));
afterAll(stop);

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

function build() {
  return buildBundles({ root: tree, entries });
}

function run(...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: tree, encoding: 'utf8' });
}

function sizeOf(files: readonly { name: string; bytes: number }[], name: string): number {
  return files.find((file) => file.name === name)?.bytes ?? Number.NaN;
}

it('makes programs that run, bundled CommonJS packages and all, and leaves out those not written yet', async () => {
  const { files } = await build();
  expect(readdirSync(join(tree, 'dist')).sort()).toEqual([...files.map(({ name }) => name), 'version.json'].sort());
  expect(files.map(({ name }) => name.replace(/-[A-Z0-9]{8}/, '-*'))).toEqual([
    'chunk-*.js',
    'serve-*.js',
    'main.js',
    'worker.js',
  ]);
  expect(run('dist/main.js', 'serve')).toBe('function\n');
  expect(run('dist/worker.js')).toBe('function\n');
});

it('loads what a command needs only when it runs', async () => {
  const { files } = await build();
  expect(sizeOf(files, 'main.js')).toBeLessThan(1_000);
});

it('gives the same sources the same names, and others others', async () => {
  const first = await build();
  expect((await build()).version).toEqual(first.version);
  write('src/main.test.ts', 'a test ships nothing');
  expect((await build()).version).toEqual(first.version);
  write('src/main.ts', 'console.log(1);\n');
  const { version } = await build();
  expect(version.version).toBe('1.2.3');
  expect(version.buildId).not.toBe(first.version.buildId);
  expect(version.sourceHash).not.toBe(first.version.sourceHash);
});

it('keeps chunks a running daemon may still load, for a week', async () => {
  const { files } = await build();
  const old = files.map(({ name }) => name).filter((name) => name.startsWith('serve-'));
  write('src/serve.ts', 'export function serve() {}\n');
  await build();
  expect(readdirSync(join(tree, 'dist'))).toEqual(expect.arrayContaining(old));

  const longAgo = Date.now() / 1000 - 8 * 24 * 3600;
  for (const name of old) utimesSync(join(tree, 'dist', name), longAgo, longAgo);
  await build();
  for (const name of old) expect(readdirSync(join(tree, 'dist'))).not.toContain(name);
});
