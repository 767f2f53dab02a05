import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type OtherHalf, runCli } from './cli/index.ts';

const { argv, env, execPath } = process;
const uid = process.getuid?.() ?? 0;
const main = fileURLToPath(import.meta.url);
/** How to run this program again: by its launcher where there is one, which keeps compiled code for the next start. */
const launcher = main.endsWith('.js') ? fileURLToPath(new URL('../bin/concert', import.meta.url)) : main;
const program: [string, string] = [execPath, launcher];

/** The daemon's code is loaded by those who run it, and by nobody else. */
const other: OtherHalf = {
  async runDaemon() {
    const { runDaemon } = await import('./daemon/index.ts');
    process.exit(await runDaemon(env));
  },
  service: async (action) => (await import('./daemon/index.ts')).runService(action, { env, uid, program }),
  repair: async () => (await import('./daemon/index.ts')).repairHome(env, uid),
};

/** A reader that went away, such as `head`, has what it wanted. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCli({
  argv: argv.slice(2),
  env,
  cwd: process.cwd(),
  uid,
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  get stderr() {
    return process.stderr;
  },
  program,
  interrupted: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve());
    }),
  version: readVersion,
  other,
});

function readVersion(): string {
  const file = new URL(main.endsWith('.js') ? './version.json' : '../package.json', import.meta.url);
  const { version, buildId } = JSON.parse(readFileSync(file, 'utf8')) as { version: string; buildId?: string };
  return buildId === undefined ? version : `${version}+${buildId}`;
}
