// Plain JavaScript without dependencies: it runs on Node 20, before anything is installed.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import runChild from '../bin/run-child.js';

export const root = fileURLToPath(new URL('..', import.meta.url));
const pinnedRuntime = join(root, 'node_modules/node/bin/node');

/**
 * Makes a clone ready to run: installs when `node_modules` is not what the lockfile says, and builds when `dist` was
 * made from other sources. Tells on stderr what it does; ends the process when it cannot.
 *
 * @param {{ build: boolean }} options
 */
export async function prepare({ build }) {
  if (!isInstalled()) await install();
  if (build && readBuiltSourceHash() !== sourceHash(root)) {
    tell('Building');
    await runOrEnd(pinnedRuntime, ['scripts/build.ts', '--quiet']);
  }
}

/**
 * Runs a program of this repository on the pinned runtime with our stdio and signals.
 *
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env] added to our own
 * @returns {Promise<number>} exit code, 128 + number for a signal
 */
export async function runPinned(args, env = {}) {
  const path = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  return exitCodeOf(await runChild(pinnedRuntime, args, { cwd: root, env: { ...process.env, PATH: path, ...env } }));
}

/**
 * Names the sources a build is made from: the same text gives the same hash on every machine.
 *
 * @param {string} folder root of the tree
 */
export function sourceHash(folder) {
  const hash = createHash('sha256');
  for (const path of [...listSources(folder, 'src'), 'scripts/build.ts', 'package.json', 'package-lock.json'].sort()) {
    const content = readFileSync(join(folder, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * @param {string} folder
 * @param {string} under
 * @returns {string[]}
 */
function listSources(folder, under) {
  return readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) => {
    const path = `${under}/${entry.name}`;
    if (entry.isDirectory()) return listSources(folder, path);
    return entry.isFile() && !path.endsWith('.test.ts') ? [path] : [];
  });
}

function readBuiltSourceHash() {
  const path = join(root, 'dist/version.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).sourceHash : undefined;
}

/**
 * Compares the lockfile with the one npm leaves in `node_modules` as the last act of an install, so that a cut-off
 * install counts as none and one made by hand counts. A linked `node_modules` belongs to whoever linked it.
 */
function isInstalled() {
  const modules = join(root, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  if (!existsSync(join(modules, '.package-lock.json')) || !existsSync(pinnedRuntime)) return false;
  const wanted = readPackages(join(root, 'package-lock.json'));
  const found = readPackages(join(modules, '.package-lock.json'));
  return Object.entries(wanted).every(([path, { integrity, optional }]) => {
    if (path === '') return true;
    const there = found[path];
    return there === undefined ? optional === true : there.integrity === integrity;
  });
}

/**
 * @param {string} lockfile
 * @returns {Record<string, { integrity?: string, optional?: boolean }>}
 */
function readPackages(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
}

/** Runs on the machine's own Node: the pinned one is among the files `npm ci` removes first. */
async function install() {
  tell('Installing (about 20 s the first time)');
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.endsWith('node_modules/.bin'));
  const settings = ['--ignore-scripts=false', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  await runOrEnd('npm', ['ci', ...settings, '--loglevel=error'], { PATH: path.join(delimiter) });
  if (!existsSync(pinnedRuntime))
    end('The install brought no runtime: see what "npm ci" says about the package "node"');
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env]
 */
async function runOrEnd(command, args, env = {}) {
  const ended = await runChild(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 2, 2] });
  const code = exitCodeOf(ended);
  if (code !== 0) end(`"${command} ${args[0]}" failed with exit code ${code}`, code);
}

/** @param {{ code: number | null, signal: NodeJS.Signals | null }} end */
function exitCodeOf({ code, signal }) {
  return code ?? 128 + constants.signals[signal ?? 'SIGTERM'];
}

/** @param {string} sentence */
function tell(sentence) {
  process.stderr.write(`${sentence}\n`);
}

/**
 * @param {string} sentence
 * @param {number} [code]
 * @returns {never}
 */
function end(sentence, code = 1) {
  tell(sentence);
  process.exit(code);
}
