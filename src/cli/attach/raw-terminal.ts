import { spawn } from 'node:child_process';
import type { Invocation } from '../invocation.ts';

/**
 * Takes the keyboard raw: every key comes as it is typed, Ctrl+C included. Disposing gives it back. The runtime leaves
 * one thing on that a raw terminal must not have, the line feed that also returns the carriage (a program that moves
 * down a row would lose its column); `isReady` resolves when `stty` has switched it off.
 */
export function openRawTerminal({ stdin }: Pick<Invocation, 'stdin'>): Disposable & { isReady: Promise<void> } {
  stdin.setRawMode?.(true);
  const isReady = new Promise<void>((resolve) => {
    const stty = spawn('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
    stty.on('error', () => resolve());
    stty.on('exit', () => resolve());
  });
  return {
    isReady,
    [Symbol.dispose]() {
      stdin.setRawMode?.(false);
      stdin.pause();
    },
  };
}
