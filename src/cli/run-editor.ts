import { spawn } from 'node:child_process';
import { ok, type Result, refuse } from '../base/index.ts';
import { plainLine } from '../client/index.ts';
import type { ErrorCode } from '../protocol/index.ts';
import type { Call } from './call.ts';

/** Opens the person's editor on a file, in this terminal, and waits until it is closed. */
export function runEditor({ invocation: { env, cwd } }: Call, path: string): Promise<Result<null, ErrorCode>> {
  const [program = 'vi', ...args] = (env['VISUAL'] || env['EDITOR'] || 'vi').split(' ').filter((word) => word !== '');
  const name = plainLine(program, 80);
  return new Promise((resolve) => {
    const editor = spawn(program, [...args, path], { cwd, env: { ...env }, stdio: 'inherit' });
    editor.on('error', ({ message }) =>
      resolve(
        refuse(
          'agent/binary-missing',
          `Cannot start the editor "${name}": ${message}`,
          'Set EDITOR to a program you have',
        ),
      ),
    );
    editor.on('exit', (code) =>
      resolve(
        code === 0 ? ok(null) : refuse('config/invalid', `The editor "${name}" gave up; the settings are as before`),
      ),
    );
  });
}
