import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Writes what a run came to as JSON into the file named by CONCERT_TEST_TOTALS; without it, does nothing. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env.CONCERT_TEST_TOTALS;
    if (file === undefined) return;
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      const before = totals.failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'pending') totals.failed++;
        else totals[state]++;
      }
      // A file that fails outside its tests (it does not load, a hook throws, it leaks) counts once.
      if (module.state() === 'failed' && totals.failed === before) totals.failed++;
    }
    writeFileSync(file, JSON.stringify(totals));
  }
}
