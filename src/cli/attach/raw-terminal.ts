import type { Invocation } from '../invocation.ts';

/**
 * Takes the keyboard raw: every key comes as it is typed, Ctrl+C included. Disposing gives it back. The runtime leaves
 * one thing on that a raw terminal must not have, the line feed that also returns the carriage (a program that moves
 * down a row would lose its column): `finish` resolves when `stty` has switched it off. A whole screen never needs that,
 * so it can be shown before; starting a program costs as much as showing it.
 */
export function openRawTerminal({ stdin }: Pick<Invocation, 'stdin'>): Disposable & { finish(): Promise<void> } {
  stdin.setRawMode?.(true);
  return {
    finish: () =>
      new Promise<void>((resolve) => {
        const { spawn } = process.getBuiltinModule('node:child_process');
        const stty = spawn('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
        stty.on('error', () => resolve());
        stty.on('exit', () => resolve());
      }),
    [Symbol.dispose]() {
      stdin.setRawMode?.(false);
      stdin.pause();
    },
  };
}
