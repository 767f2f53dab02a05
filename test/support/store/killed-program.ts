import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * Runs a program until `isMoment` says so of a line it wrote, then kills it there and then; answers every line it had
 * written. Rejects when it fails by itself.
 */
export async function runUntil(argv: readonly string[], isMoment: (line: string) => boolean): Promise<string[]> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (isMoment(line)) child.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`${argv[0]} ended with ${code}: ${errors.join('')}`);
  return lines;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
