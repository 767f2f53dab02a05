import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ok, type Result, refuse } from '../../base/index.ts';
import { type ErrorCode, layOutHome } from '../../protocol/index.ts';
import { installService, isServiceInstalled, removeService, type ServiceOptions } from './service.ts';

/** Whose service, and what it starts. */
export interface ServiceOwner {
  env: Readonly<Record<string, string | undefined>>;
  uid: number;
  /** The runtime and the program's main file; absolute. */
  program: readonly [string, string];
}

/** `concert service`: says in order what was done, or whether there is anything to undo. */
export async function runService(
  action: 'install' | 'remove' | 'status',
  owner: ServiceOwner,
): Promise<Result<string[], ErrorCode>> {
  const { platform } = process;
  if (platform !== 'linux' && platform !== 'darwin') {
    return refuse(
      'service/unsupported',
      `There is no service for ${platform}; the daemon starts with any concert command`,
    );
  }
  const options = optionsOf(owner, platform);
  if (action === 'install') return await installService(options);
  if (action === 'remove') return await removeService(options);
  const isInstalled = await isServiceInstalled(options);
  return ok([
    isInstalled ? 'The service is installed' : 'No service is installed: the daemon starts with any concert command',
  ]);
}

function optionsOf({ env, uid, program: [node, main] }: ServiceOwner, platform: string): ServiceOptions {
  const home = env['HOME'] || homedir();
  return {
    platform,
    home,
    configHome: env['XDG_CONFIG_HOME'] || join(home, '.config'),
    user: userInfo().username,
    node,
    main,
    concertHome: env['CONCERT_HOME'] || null,
    log: layOutHome(env, uid).daemonLog,
  };
}
