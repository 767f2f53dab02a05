import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../bootstrap.mjs';
import { importTable } from './import-table.ts';

/** Our own tsconfigs around one-line sources, since the boundary is theirs to keep. */
const tree = mkdtempSync(join(tmpdir(), 'compiler-'));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

/** Compiles a folder with what it references; gives what the compiler says. */
function compile(folder: string): string {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-b', `src/${folder}`, '--pretty', 'false'], {
    cwd: tree,
    encoding: 'utf8',
  });
  return stdout + stderr;
}

beforeAll(() => {
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  for (const path of globSync(['package.json', 'tsconfig*.json', 'src/*/tsconfig.json'], { cwd: root })) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    copyFileSync(join(root, path), join(tree, path));
  }
  for (const folder of Object.keys(importTable)) write(`src/${folder}/index.ts`, `export const ${folder} = 1;\n`);
});
afterAll(() => rmSync(tree, { recursive: true }));

it('compiles every folder while nothing is planted', () => {
  expect(compile('sim') + compile('cli')).toBe('');
});

it.each([
  ['an upward import', 'fleet', "import { daemon } from '../daemon/index.ts';\nexport const x = daemon;\n", 'TS6307'],
  ['a sideways import', 'store', "import { git } from '../git/index.ts';\nexport const x = git;\n", 'TS6307'],
  ['an upward type', 'base', "export type { fleet } from '../fleet/index.ts';\n", 'TS6307'],
  [
    'an import the other way',
    'daemon',
    "import { client } from '../client/index.ts';\nexport const x = client;\n",
    'TS6307',
  ],
  ['a process in the heart', 'fleet', 'export const x = process.pid;\n', "'process'"],
  ['a timer in the heart', 'fleet', 'export const x = setTimeout(() => {}, 1);\n', "'setTimeout'"],
  ['the network in the client', 'client', "export const x = fetch('');\n", "'fetch'"],
  ['a Node module in the protocol', 'protocol', "import * as fs from 'node:fs';\nexport const x = fs;\n", "'node:fs'"],
])('refuses %s', (_, folder, text, reason) => {
  write(`src/${folder}/planted.ts`, text);
  const said = compile(folder);
  rmSync(join(tree, `src/${folder}/planted.ts`));
  expect(said).toContain(`src/${folder}/planted.ts(1,`);
  expect(said).toContain(reason);
});
