// Prints pseudo-random terminal bytes to a raw terminal at a steady rate until its byte budget or SIGTERM, then writes
// the length and SHA-256 of all it printed to a file. Arguments: <result file> <seed> <bytes per tick> <tick ms> <bytes in all>.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { renameSync, writeFileSync, writeSync } from 'node:fs';

const [resultFile = '', seedText, chunkText, tickText, totalText] = process.argv.slice(2);
// Node's own raw mode still turns LF into CR LF; only stty takes all processing off.
if (process.stdin.isTTY) execFileSync('stty', ['raw', '-opost', '-echo'], { stdio: ['inherit', 'ignore', 'ignore'] });
process.stdin.on('data', () => {});
const hash = createHash('sha256');
let length = 0;
let state = Number(seedText) >>> 0;
const total = Number(totalText);

function next(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state;
}

function chunk(size: number): Buffer {
  let text = `\x1b[3${next() % 8}m${length}\x1b[0m `;
  while (text.length < size) text += next().toString(36);
  return Buffer.from(`${text}\r\n`);
}

// Anything written counts only once the kernel has taken it; the terminal blocks, so nothing is cut short.
function print(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    let written = 0;
    try {
      written = writeSync(1, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    hash.update(bytes.subarray(at, at + written));
    length += written;
    at += written;
  }
}

const timer = setInterval(() => {
  print(chunk(Number(chunkText)));
  if (length >= total) finish();
}, Number(tickText));

function finish(): void {
  clearInterval(timer);
  writeFileSync(`${resultFile}.new`, JSON.stringify({ length, sha256: hash.digest('hex') }));
  renameSync(`${resultFile}.new`, resultFile);
  process.exit(0);
}

process.on('SIGTERM', finish);
