import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { ChildSpec, ChildStart } from './child.ts';

/** What the C library searches when the environment names no PATH. */
const defaultPath = '/bin:/usr/bin';

/** The kernel refuses longer single arguments and variables (MAX_ARG_STRLEN). */
const argumentBytesMax = 128 * 1024 - 1;

/**
 * Looks for what exec will look for, before there is a process: after a fork the reason of a failure is only text on
 * the new terminal and an exit code of 1, like that of any program. Null when nothing speaks against starting.
 */
export function findProblem(spec: Pick<ChildSpec, 'argv' | 'cwd' | 'env'>): Extract<ChildStart, { ok: false }> | null {
  const program = spec.argv[0] ?? '';
  if (!isFolder(spec.cwd)) {
    return problem('cwd-missing', `Cannot start "${program}": the folder "${spec.cwd}" is not there or not accessible`);
  }
  for (const text of [...spec.argv, ...Object.entries(spec.env).map(([name, value]) => `${name}=${value}`)]) {
    if (Buffer.byteLength(text) > argumentBytesMax) {
      const shown = `${text.slice(0, 40)}…`;
      return problem('spawn-failed', `Cannot start "${program}": "${shown}" is above ${argumentBytesMax} bytes`);
    }
  }
  const candidates = program.includes('/')
    ? [isAbsolute(program) ? program : resolve(spec.cwd, program)]
    : (spec.env['PATH'] ?? defaultPath).split(':').map((folder) => join(resolve(spec.cwd, folder || '.'), program));
  const found = candidates.find(isExecutable);
  if (found !== undefined && program !== '') return interpreterProblem(program, found);
  const inTheWay = program === '' ? undefined : candidates.find(exists);
  if (inTheWay !== undefined) {
    return problem('not-executable', `Cannot start "${program}": "${inTheWay}" is not an executable file`);
  }
  const where = program.includes('/') ? '' : ' in the PATH of this session';
  return problem('binary-missing', `Cannot start "${program}": there is no such program${where}`);
}

/** A script whose interpreter is missing fails like a missing program; say which one it is. */
function interpreterProblem(program: string, path: string): Extract<ChildStart, { ok: false }> | null {
  const interpreter = /^#! *([^ \n]+)/.exec(firstBytes(path))?.[1];
  if (interpreter === undefined || isExecutable(interpreter)) return null;
  return problem('not-executable', `Cannot start "${program}": its interpreter "${interpreter}" is missing`);
}

function firstBytes(path: string): string {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(256);
      return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // A program one may run but not read has no first line to check.
    return '';
  }
}

function problem(error: Extract<ChildStart, { ok: false }>['error'], message: string) {
  return { ok: false as const, error, message };
}

function isFolder(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    // Whatever the reason, a child could not start there.
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Missing, not permitted, a broken link: not executable is the whole answer.
    return false;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
