import { defineConfig } from 'vitest/config';

/** The files here leak on purpose; `leaks.test.ts` runs them apart and wants each to fail but `tidy.ts`. */
export default defineConfig({
  test: {
    include: ['test/support/leaking/*.ts'],
    exclude: ['**/vitest.config.ts'],
    globalSetup: ['test/support/whole-run.ts'],
    setupFiles: ['test/support/each-file.ts'],
    pool: 'forks',
    // They only wait, all for the same second.
    maxWorkers: 4,
  },
});
