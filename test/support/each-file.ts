/**
 * Runs before every test file: gives it a home, a temporary folder and an environment of its own, so that no test
 * meets the person's sessions, git identity or settings; fails it when it leaves anything open or running.
 *
 * A child that is started with an environment of its own is known by CONCERT_TEST_RUN, if that is handed on to it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { watchForLeaks } from './leaks.ts';

const run = process.env.CONCERT_TEST_RUN ?? tmpdir();
// Short, because sockets are made in it and their paths may have 107 bytes.
const folder = mkdtempSync(join(run, 't'));

for (const name of Object.keys(process.env)) if (/^(?:CONCERT|XDG|GIT)_/.test(name)) delete process.env[name];
process.env.CONCERT_TEST_RUN = folder;
process.env.TMPDIR = folder;
process.env.HOME = join(folder, 'home');
mkdirSync(process.env.HOME);

const endWatch = watchForLeaks(folder);

/** Twenty looks through /proc may take this long on a machine busy with other tests. */
const lookingMsMax = 60_000;

// Hooks run in reverse order, so this comes after every hook of the file itself.
afterAll(async () => {
  const leaks = await endWatch();
  process.env.CONCERT_TEST_RUN = run;
  rmSync(folder, { recursive: true, force: true });
  if (leaks.length > 0) throw new Error(`This test file leaks:\n${leaks.map((leak) => `  ${leak}`).join('\n')}`);
}, lookingMsMax);
