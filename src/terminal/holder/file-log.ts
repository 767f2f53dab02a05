import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { Log } from '../../base/index.ts';

/** At this size the file is set aside as `.old`, replacing an earlier one: two of them at most. */
const fileBytesMax = 256 * 1024;

/** One line per event, appended at once: few things are worth a line in a holder. A full disk costs lines, never a holder. */
export function openFileLog(path: string, now: () => number): Log {
  const write = (level: string, message: string, facts: Record<string, unknown> = {}) => {
    const line = JSON.stringify({ at: new Date(now()).toISOString(), level, message, ...facts });
    try {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > fileBytesMax) renameSync(path, `${path}.old`);
      appendFileSync(path, `${line}\n`, { mode: 0o600 });
    } catch {
      // There is nowhere to say it.
    }
  };
  return {
    info: (message, facts) => write('info', message, facts),
    warn: (message, facts) => write('warn', message, facts),
    error: (message, facts) => write('error', message, facts),
  };
}
