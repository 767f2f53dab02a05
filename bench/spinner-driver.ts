import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { spinnerFrame } from './payload.ts';

/**
 * Draws a spinner ten times a second into every terminal named on its standard input, spread over the tenth as spinners
 * of their own would be. One process for all, so that programs cost nothing and both sides get the same bytes.
 * Ends when told to.
 */
const slots = 10;
const slotMs = 10;
let text = '';
for await (const chunk of process.stdin) text += String(chunk);
const terminals = text
  .split('\n')
  .filter(Boolean)
  .map((path) => openSync(path, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK));
let beat = 0;
let dropped = 0;
const timer = setInterval(() => {
  const frame = Buffer.from(spinnerFrame(Math.floor(beat / slots)));
  for (let i = beat % slots; i < terminals.length; i += slots) {
    try {
      writeSync(terminals[i] ?? -1, frame);
    } catch {
      // A full terminal: its reader is too slow, which the count tells.
      dropped++;
    }
  }
  beat++;
}, slotMs);
process.once('SIGTERM', () => {
  clearInterval(timer);
  for (const terminal of terminals) closeSync(terminal);
  process.stdout.write(JSON.stringify({ frames: beat * (terminals.length / slots), dropped }));
});
