// `npm start`: from a fresh clone to a running fleet.
import { prepare, runPinned } from './bootstrap.mjs';

await prepare({ build: true });
process.exitCode = await runPinned(['bin/concert', 'quickstart', ...process.argv.slice(2)]);
