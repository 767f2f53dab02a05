import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HolderConfig } from './holder/holder-config.ts';
import { HolderError } from './holder-connection.ts';

export interface HolderProgram {
  /** The Node to run it with. */
  nodePath: string;
  /** `holder/main.ts`, or what it was built into. */
  entry: string;
  /** The holder's own environment: what `prefix` needs and nothing else. Sessions bring theirs. */
  env?: Readonly<Record<string, string>>;
  /** Put before the command: a scope of its own, so that stopping the daemon's unit does not stop holders. */
  prefix?: (holder: string) => readonly string[];
}

/** A started holder process; `exited` tells of an end before anyone could connect. */
interface StartedHolder {
  pid: number;
  /** Resolves with the reason if it ends; stays open otherwise. */
  exited: Promise<HolderError>;
}

/** Starts a holder that does not need us any more: own session, no pipes to us. It is ready when its socket answers. */
export function startHolder(program: HolderProgram, config: HolderConfig): StartedHolder {
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const complaints = join(config.stateDir, 'stderr');
  const descriptor = openSync(complaints, 'w', 0o600);
  const command = [...(program.prefix?.(config.holder) ?? []), program.nodePath, program.entry, JSON.stringify(config)];
  const [file = program.nodePath, ...args] = command;
  let started: ChildProcess;
  try {
    const stdio = ['ignore', 'ignore', descriptor] as const;
    started = spawn(file, args, { cwd: '/', env: { ...program.env }, detached: true, stdio: [...stdio] });
  } finally {
    closeSync(descriptor);
  }
  started.unref();
  const failed = (reason: string) =>
    new HolderError(
      'unreachable',
      config.socket,
      `Cannot start a holder with "${file}": ${reason}; running sessions go on`,
    );
  const exited = new Promise<HolderError>((resolve) => {
    started.on('error', (error) => resolve(failed(error.message)));
    started.on('exit', (code, signal) => resolve(failed(lastLine(complaints) ?? `it ended with ${signal ?? code}`)));
  });
  return { pid: started.pid ?? 0, exited };
}

function lastLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').at(-1)?.slice(0, 500) || undefined;
  } catch {
    // Nothing was said.
    return undefined;
  }
}

/** The words that give a holder its own scope under the person's systemd. */
export function systemdScope(holder: string): readonly string[] {
  const unit = `--unit=concert-holder-${holder}`;
  return ['systemd-run', '--user', '--scope', '--quiet', '--collect', unit, '--'];
}

/** Whether `systemdScope` works here, found out by doing it. Takes 2 s at most. */
export function canUseSystemdScope(env: Readonly<Record<string, string>>): Promise<boolean> {
  const [file = '', ...args] = ['systemd-run', '--user', '--scope', '--quiet', '--collect', '--', 'true'];
  return new Promise((resolve) => {
    execFile(file, args, { env: { ...env }, timeout: 2000 }, (error) => resolve(error === null));
  });
}
