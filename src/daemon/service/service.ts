import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ok, type Result, refuse } from '../../base/index.ts';
import type { ErrorCode } from '../../protocol/index.ts';
import { launchdPlist, type ServicePaths, systemdUnit } from './unit-files.ts';

export interface ServiceOptions extends ServicePaths {
  platform: string;
  home: string;
  configHome: string;
  user: string;
}

const unitName = 'concertmaster.service';

/**
 * Makes the daemon start at login (and, with linger, at boot and through logout). Writes one file of its own and asks
 * systemd or launchd to load it; says in order what it did. Sessions that already run are not touched.
 */
export async function installService(options: ServiceOptions): Promise<Result<string[], ErrorCode>> {
  if (options.platform === 'darwin') return await installLaunchd(options);
  if (!(await hasUserManager())) {
    return refuse(
      'service/unsupported',
      'No systemd user manager answers here, so nothing was installed; the daemon still starts with any concert command',
    );
  }
  const path = systemdPath(options);
  await writeWhole(path, systemdUnit(options));
  const done = [`Wrote ${path}`];
  for (const argv of [
    ['--user', 'daemon-reload'],
    ['--user', 'enable', unitName],
  ]) {
    const failure = await run('systemctl', argv);
    if (failure !== null) return refuse('service/unsupported', `systemctl ${argv.join(' ')} failed: ${failure}`);
  }
  done.push('Enabled it for your login');
  const lingering = await run('loginctl', ['enable-linger', options.user]);
  done.push(
    lingering === null
      ? 'Enabled linger: sessions outlive your logout'
      : `Could not enable linger (${lingering}): sessions may end at logout. Ask an administrator for: loginctl enable-linger ${options.user}`,
  );
  return ok(done);
}

/** Takes back what `installService` did. Linger stays: other programs may rely on it. */
export async function removeService(options: ServiceOptions): Promise<Result<string[], ErrorCode>> {
  const path = options.platform === 'darwin' ? launchdPath(options) : systemdPath(options);
  if ((await contentOf(path)) === null) return ok(['No service was installed']);
  if (options.platform === 'darwin') await run('launchctl', ['unload', path]);
  else await run('systemctl', ['--user', 'disable', unitName]);
  await rm(path, { force: true });
  return ok([`Removed ${path}; a running daemon and all sessions go on`]);
}

export async function isServiceInstalled(options: ServiceOptions): Promise<boolean> {
  return (await contentOf(options.platform === 'darwin' ? launchdPath(options) : systemdPath(options))) !== null;
}

async function installLaunchd(options: ServiceOptions): Promise<Result<string[], ErrorCode>> {
  const path = launchdPath(options);
  await writeWhole(path, launchdPlist(options));
  const failure = await run('launchctl', ['load', path]);
  if (failure !== null) return refuse('service/unsupported', `launchctl load failed: ${failure}`);
  return ok([`Wrote and loaded ${path}`, 'Untested: this has never run on a Mac']);
}

function systemdPath(options: ServiceOptions): string {
  return join(options.configHome, 'systemd', 'user', unitName);
}

function launchdPath(options: ServiceOptions): string {
  return join(options.home, 'Library', 'LaunchAgents', 'dev.concertmaster.daemon.plist');
}

async function hasUserManager(): Promise<boolean> {
  return (await run('systemctl', ['--user', 'show-environment'])) === null;
}

async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, content, { mode: 0o644 });
  await rename(`${path}.new`, path);
}

async function contentOf(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(() => null);
}

/** Null when it went well, else what the program said. */
function run(program: string, argv: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, [...argv], { timeout: 10_000 }, (error, _stdout, stderr) => {
      resolve(error === null ? null : stderr.trim() || error.message);
    });
  });
}
