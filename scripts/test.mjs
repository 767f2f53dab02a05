// `npm test [files]`: from a fresh clone to one last line, `N passed, N failed`.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, runPinned } from './bootstrap.mjs';

await prepare({ build: true });

const folder = mkdtempSync(join(tmpdir(), 'concert-totals-'));
const totalsFile = join(folder, 'totals.json');
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=scripts/totals-reporter.ts'];
const code = await runPinned([...vitest, ...process.argv.slice(2)], { CONCERT_TEST_TOTALS: totalsFile });
const totals = existsSync(totalsFile)
  ? JSON.parse(readFileSync(totalsFile, 'utf8'))
  : { passed: 0, failed: 0, skipped: 0 };
rmSync(folder, { recursive: true });

// A run that ends badly without a failed test (it crashed, found no test, leaked at its end) is one failure.
const failed = Math.max(totals.failed, code === 0 ? 0 : 1);
if (totals.skipped > 0) process.stdout.write(`${totals.skipped} skipped\n`);
process.stdout.write(`${totals.passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 && code === 0 ? 1 : code;
