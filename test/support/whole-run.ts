/**
 * Runs around all test files: the last look for processes left by a test file that died before its own look, and
 * the folder that holds the temporary folders of all.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcesses, killIfAlive } from './leaks.ts';

export default function openRun(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'ct'));
  process.env.CONCERT_TEST_RUN = folder;

  return () => {
    const left = findProcesses(`${folder}/`);
    for (const { pid } of left) killIfAlive(pid);
    rmSync(folder, { recursive: true, force: true });
    if (left.length > 0)
      throw new Error(`Processes outlived their tests: ${left.map(({ command }) => command).join('; ')}`);
  };
}
