// `node scripts/run.mjs [--build] <program> [arguments]`: runs it on the pinned runtime, installing and building before.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root, runPinned } from './bootstrap.mjs';

const build = process.argv[2] === '--build';
const [program = '', ...args] = process.argv.slice(build ? 3 : 2);

if (!existsSync(join(root, program))) {
  process.stderr.write(`There is no "${program}" in this version: see CHANGELOG.md for what it can do\n`);
  process.exitCode = 2;
} else {
  await prepare({ build });
  process.exitCode = await runPinned([program, ...args]);
}
