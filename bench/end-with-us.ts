const waiting = new Set<() => void>();

/** Runs `end`, which may not wait for anything, if this process ends before the returned disposable was disposed. */
export function endWithUs(end: () => void): Disposable {
  if (waiting.size === 0) process.once('exit', endAll);
  waiting.add(end);
  return {
    [Symbol.dispose]() {
      waiting.delete(end);
      if (waiting.size === 0) process.off('exit', endAll);
    },
  };
}

function endAll(): void {
  for (const end of waiting) {
    try {
      end();
    } catch (error) {
      process.stderr.write(`Something may be left running: ${(error as Error).message}\n`);
    }
  }
}
