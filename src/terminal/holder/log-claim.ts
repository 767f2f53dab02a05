import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HolderStart } from '../../protocol/index.ts';
import { summarizeLog } from '../log-reader.ts';
import { isRunning, type ProcessIdentity, startTimeOf } from '../process-identity.ts';

/**
 * Makes this process the only writer of a log folder. Null, or why it may not be: another living holder writes there,
 * or the log tells that this incarnation was started before, by whichever holder. Throws what the file system throws.
 */
export function claimLogFolder({ logDir, session, name, incarnation }: HolderStart): string | null {
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
  const writer = readWriter(logDir);
  if (writer !== null && writer.pid !== process.pid && isRunning(writer)) {
    return `The log "${logDir}" is being written by the holder with process id ${writer.pid}`;
  }
  const { context } = summarizeLog(logDir);
  if (context !== null && (context.session !== session || context.name !== name)) {
    return `The log "${logDir}" belongs to "${context.name}" of session ${context.session}`;
  }
  if (context !== null && context.incarnation >= incarnation) {
    return `"${name}" of session ${session} was started before as incarnation ${context.incarnation}`;
  }
  const claim: ProcessIdentity = { pid: process.pid, startTime: startTimeOf(process.pid) };
  writeFileSync(writerPath(logDir), JSON.stringify(claim), { mode: 0o600 });
  return null;
}

export function releaseLogFolder(logDir: string): void {
  try {
    rmSync(writerPath(logDir), { force: true });
  } catch {
    // A claim that stays names this process; it counts for nothing once the process is gone.
  }
}

function writerPath(logDir: string): string {
  return join(logDir, 'writer.json');
}

function readWriter(logDir: string): ProcessIdentity | null {
  try {
    const writer = JSON.parse(readFileSync(writerPath(logDir), 'utf8')) as ProcessIdentity;
    return Number.isInteger(writer.pid) ? writer : null;
  } catch {
    // No writer, or one that died while it said so.
    return null;
  }
}
