import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { GitError } from './git-error.ts';
import { quoted } from './printable.ts';
import type { ConfigOverride, Git } from './run-git.ts';

/** A setting of a repository's own configuration that names a program git would run for us. */
export interface GitProgram {
  key: string;
  value: string;
}

/** Configuration files followed through `include`; people have two or three. More are refused, not skipped. */
const configFilesMax = 64;
const configBytesMax = 4 * 1024 * 1024;

/**
 * Settings that start a program in the calls we make: conversion filters, and what a partial clone's fetch starts.
 * Hooks, the file system monitor, diff and text conversion drivers, pagers and editors are not listed: our calls never
 * run those, trusted or not.
 */
const programKeys: readonly { pattern: RegExp; neutral: string }[] = [
  { pattern: /^filter\..*\.(?:clean|smudge|process)$/s, neutral: '' },
  { pattern: /^core\.sshcommand$/, neutral: 'ssh' },
  { pattern: /^core\.alternaterefscommand$/, neutral: 'true' },
  { pattern: /^credential\.(?:.*\.)?helper$/s, neutral: '' },
  { pattern: /^remote\..*\.uploadpack$/s, neutral: 'git-upload-pack' },
  { pattern: /^remote\..*\.vcs$/s, neutral: '' },
  { pattern: /^lfs\.(?:.*\.)?standalonetransferagent$/s, neutral: '' },
  { pattern: /^lfs\.customtransfer\..*\.path$/s, neutral: 'false' },
  { pattern: /^lfs\.extension\..*\.(?:clean|smudge)$/s, neutral: 'false' },
];

/**
 * Every program the repository's own configuration names, sorted, whatever the conditions of its includes say: they
 * may come true only on the branch about to be checked out. The person's own global configuration is not read.
 */
export async function readPrograms(git: Git, commonDir: string): Promise<GitProgram[]> {
  const found = new Map<string, GitProgram>();
  const waiting = await ownConfigFiles(commonDir);
  const seen = new Set<string>();
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (seen.has(file) || !(await isThere(file))) continue;
    seen.add(file);
    if (seen.size > configFilesMax) throw tooManyFiles(commonDir);
    const entries = await readEntries(git, commonDir, ['--file', file, '--no-includes']);
    for (const { key, value } of entries)
      if (neutralFor(key) !== undefined) found.set(JSON.stringify([key, value]), { key, value });
    if (entries.some(({ key }) => isInclude(key))) waiting.push(...(await includedFiles(git, commonDir, file)));
  }
  return [...found.values()].sort((a, b) => (a.key + a.value < b.key + b.value ? -1 : 1));
}

/**
 * The same git with every program of the repository's own configuration switched off, except those in `trusted`
 * (same key, same value). Where the person's global configuration has the setting too, its value stays in force.
 * Also tells which were switched off.
 */
export async function withoutPrograms(
  git: Git,
  commonDir: string,
  trusted: readonly GitProgram[] = [],
): Promise<{ git: Git; switchedOff: GitProgram[] }> {
  const allowed = new Set(trusted.map(({ key, value }) => JSON.stringify([key, value])));
  const programs = await readPrograms(git, commonDir);
  const switchedOff = programs.filter(({ key, value }) => !allowed.has(JSON.stringify([key, value])));
  const keys = new Set(switchedOff.map(({ key }) => key));
  await assertOverridable(git, commonDir, keys);
  const overrides = keys.size === 0 ? [] : await overridesFor(git, commonDir, keys);
  return { git: git.withConfig(overrides, { mayFetch: true }), switchedOff };
}

async function overridesFor(git: Git, commonDir: string, keys: ReadonlySet<string>): Promise<ConfigOverride[]> {
  const global = [
    ...(await readEntries(git, commonDir, ['--system', '--includes'])),
    ...(await readEntries(git, commonDir, ['--global', '--includes'])),
  ];
  const overrides: ConfigOverride[] = [];
  for (const key of keys) {
    const own = global.filter((entry) => entry.key === key);
    // An empty helper ends the list so far; every other key counts with its last value.
    if (key.startsWith('credential.')) overrides.push({ key, value: '' }, ...own);
    else overrides.push(own.at(-1) ?? { key, value: neutralFor(key) ?? '' });
    const filter = /^(filter\..*)\.(?:clean|smudge|process)$/s.exec(key)?.[1];
    if (filter !== undefined && own.length === 0) overrides.push({ key: `${filter}.required`, value: 'false' });
  }
  return overrides;
}

/** Before 2.31 git cannot be told a setting whose name has an equal sign, so such a repository is not worked in. */
async function assertOverridable(git: Git, commonDir: string, keys: ReadonlySet<string>): Promise<void> {
  const odd = [...keys].find((key) => key.includes('='));
  if (odd === undefined) return;
  const { text } = await git.run(['version'], { cwd: commonDir });
  const [, major = '0', minor = '0'] = /version (\d+)\.(\d+)/.exec(text) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 31)) return;
  throw configError(commonDir, `Its setting ${quoted(odd)} names a program and cannot be switched off by this git`);
}

function neutralFor(key: string): string | undefined {
  return programKeys.find(({ pattern }) => pattern.test(key))?.neutral;
}

async function ownConfigFiles(commonDir: string): Promise<string[]> {
  const worktrees = await readdir(join(commonDir, 'worktrees')).catch(() => []);
  return [
    join(commonDir, 'config'),
    join(commonDir, 'config.worktree'),
    ...worktrees.map((name) => join(commonDir, 'worktrees', name, 'config.worktree')),
  ];
}

const isInclude = (key: string) => /^include(?:if\..*)?\.path$/s.test(key);

async function includedFiles(git: Git, commonDir: string, file: string): Promise<string[]> {
  const args = ['--file', file, '--no-includes', '--type=path', '--get-regexp', '^include(if\\..*)?\\.path$'];
  const { text } = await git.run(['config', '--null', ...args], { cwd: commonDir, exitCodes: [0, 1] });
  return entriesOf(text).map(({ value }) => resolve(dirname(file), value));
}

async function readEntries(git: Git, commonDir: string, source: readonly string[]): Promise<GitProgram[]> {
  const { text } = await git.run(['config', '--null', ...source, '--list'], {
    cwd: commonDir,
    outputBytesMax: configBytesMax,
    // No global or system file at all is an answer too.
    exitCodes: source.includes('--file') ? [0] : [0, 1, 128],
  });
  return entriesOf(text);
}

/** `key\nvalue` records ended by NUL; a key without value means true. */
function entriesOf(text: string): GitProgram[] {
  return text
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const end = record.indexOf('\n');
      return end === -1 ? { key: record, value: 'true' } : { key: record.slice(0, end), value: record.slice(end + 1) };
    });
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function tooManyFiles(commonDir: string): GitError {
  return configError(commonDir, `It includes more than ${configFilesMax} files`);
}

function configError(commonDir: string, why: string): GitError {
  const facts = { argv: ['config'], cwd: commonDir, exitCode: null, signal: null, stderr: '' };
  return new GitError('git/failed', `Cannot make the configuration of ${quoted(commonDir)} safe: ${why}`, facts);
}
