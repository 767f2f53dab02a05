import { inspect } from 'node:util';
import type { Log } from '../base/index.ts';

/** Lines on standard error, which whoever started the daemon has pointed at its log file. */
export const stderrLog: Log = {
  info: (message, facts) => line('info', message, facts),
  warn: (message, facts) => line('warn', message, facts),
  error: (message, facts) => line('error', message, facts),
};

function line(level: string, message: string, facts: Record<string, unknown> = {}): void {
  const details = Object.entries(facts).map(
    ([key, value]) => ` ${key}=${inspect(value, { breakLength: Number.POSITIVE_INFINITY })}`,
  );
  process.stderr.write(`${new Date().toISOString()} ${level} ${message}${details.join('')}\n`);
}
