import type { KnipConfig } from 'knip';
import { bundleEntries } from './scripts/bundle-entries.ts';

/**
 * `!` marks what we ship. `npm run check` runs knip twice: over everything, and over the shipped part alone, which
 * finds exports that only tests use (tag a wanted one `@internal`).
 */
const config: KnipConfig = {
  entry: [
    ...Object.values(bundleEntries).map((entry) => `${entry}!`),
    'bin/*!',
    'scripts/*.{ts,mjs}',
    'bench/**/*.ts',
    'test/chaos/**/*.ts',
    // Programs that tests run as processes of their own.
    'test/support/leaking/*.ts',
    'test/support/store/*-until-killed.ts',
    'test/integration/git/call-once.ts',
    'test/support/screen/fragile-worker.ts',
  ],
  project: ['src/**/*.ts!', '!src/**/*.test.ts!', 'bin/*!', 'scripts/**/*.{ts,mjs}', 'test/**/*.ts', 'bench/**/*.ts'],
  ignoreExportsUsedInFile: true,
  // Of the machine, looked for before they are used.
  ignoreBinaries: ['apt-get', 'mount', 'umount', 'unshare'],
};

export default config;
