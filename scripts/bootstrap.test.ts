import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from './bootstrap.mjs';

/** Stands for npm, which would need a registry: notes how it was called and installs what the lockfile says. */
const npm = `#!${process.execPath}
const fs = require('fs');
fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + ' | ' + process.env.PATH + '\\n');
if (fs.existsSync('npm-fails')) process.exit(5);
fs.mkdirSync('node_modules/node/bin', { recursive: true });
fs.rmSync('node_modules/node/bin/node', { force: true });
fs.symlinkSync(process.execPath, 'node_modules/node/bin/node');
const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
delete packages[''];
delete packages['node_modules/elsewhere'];
fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
`;

let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'clone-'));
  cpSync(join(root, 'bin'), join(clone, 'bin'), { recursive: true });
  for (const name of ['bootstrap.mjs', 'run.mjs'])
    write(`scripts/${name}`, readFileSync(join(root, 'scripts', name), 'utf8'));
  write('package.json', '{"type":"module"}');
  lock('1.0.0');
  write('hello.js', "console.log('hello', ...process.argv.slice(2)); process.exitCode = 4;");
  write('tools/package.json', '{"type":"commonjs"}');
  write('tools/npm', npm);
  spawnSync('chmod', ['755', join(clone, 'tools/npm')]);
});
afterEach(() => rmSync(clone, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true });
  writeFileSync(join(clone, path), text);
}

function lock(version: string): void {
  const packages = {
    '': {},
    'node_modules/node': { version, integrity: `sha512-${version}` },
    'node_modules/elsewhere': { version, integrity: 'sha512-e', optional: true },
  };
  write('package-lock.json', JSON.stringify({ packages }));
}

function run(...args: string[]) {
  const path = [join(clone, 'tools'), join(clone, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['scripts/run.mjs', ...args], {
    cwd: clone,
    env: { PATH: path },
    encoding: 'utf8',
  });
  return { stdout, stderr, status };
}

function npmCalls(): string[] {
  const file = join(clone, 'npm-calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

const greeted = { stdout: 'hello a b c\n', status: 4 };

it('installs once, then runs the program with its arguments and exit code', () => {
  expect(run('hello.js', 'a', 'b c')).toMatchObject({ ...greeted, stderr: expect.stringMatching(/^Installing/) });
  expect(run('hello.js', 'a', 'b c')).toEqual({ ...greeted, stderr: '' });
  expect(npmCalls()).toHaveLength(1);
});

it('installs developer and optional packages with their scripts, whatever npm is set to, on the machine’s own Node', () => {
  run('hello.js');
  expect(npmCalls()[0]).toMatch(/^ci --ignore-scripts=false --include=dev --include=optional /);
  expect(npmCalls()[0]).not.toContain('node_modules/.bin');
});

it('installs again when the lockfile changed or the last install was cut off', () => {
  run('hello.js');
  lock('1.0.1');
  run('hello.js');
  expect(npmCalls()).toHaveLength(2);
  rmSync(join(clone, 'node_modules/.package-lock.json'));
  run('hello.js');
  expect(npmCalls()).toHaveLength(3);
});

it('leaves a linked node_modules to its owner', () => {
  run('hello.js');
  renameSync(join(clone, 'node_modules'), join(clone, 'shared'));
  symlinkSync('shared', join(clone, 'node_modules'));
  lock('1.0.1');
  expect(run('hello.js', 'a', 'b c')).toEqual({ ...greeted, stderr: '' });
  expect(npmCalls()).toHaveLength(1);
});

it('ends with what npm ended with, in a sentence', () => {
  write('npm-fails', '');
  expect(run('hello.js')).toMatchObject({ stdout: '', status: 5 });
  expect(run('hello.js').stderr).toContain('"npm ci" failed with exit code 5');
});

it('says so when a program is not part of this version', () => {
  expect(run('bench/run.ts')).toEqual({
    stdout: '',
    stderr: 'There is no "bench/run.ts" in this version: see CHANGELOG.md for what it can do\n',
    status: 2,
  });
  expect(npmCalls()).toEqual([]);
});
