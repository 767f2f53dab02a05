import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Probe } from '../agents/index.ts';

/** A file an adapter reads while detecting is a small settings file. */
const fileBytesMax = 4 * 1024 * 1024;
const outputTimeoutMs = 5_000;

export type MachineProbe = Probe;

/** Looks at this machine for the adapters: programs on the PATH, short commands, small files. */
export function createMachineProbe(env: Readonly<Record<string, string>>): MachineProbe {
  return {
    env,
    async which(program) {
      const candidates = isAbsolute(program)
        ? [program]
        : (env['PATH'] ?? '')
            .split(delimiter)
            .filter(isAbsolute)
            .map((folder) => join(folder, program));
      return candidates.find(isExecutable) ?? null;
    },
    output: (argv) =>
      new Promise((resolve) => {
        const [program, ...rest] = argv;
        if (program === undefined) return resolve(null);
        execFile(program, rest, { env, timeout: outputTimeoutMs, maxBuffer: 1_048_576 }, (error, stdout) =>
          resolve(error === null ? stdout : null),
        );
      }),
    async file(path) {
      try {
        if ((await stat(path)).size > fileBytesMax) return null;
        return await readFile(path, 'utf8');
      } catch {
        // Missing and unreadable are the same answer to a detection.
        return null;
      }
    },
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
