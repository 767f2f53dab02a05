import { closeSync, fstatSync, writeSync } from 'node:fs';
import type { Refusal } from '../base/index.ts';
import { type ErrorCode, errorCodes } from '../protocol/index.ts';

/** The pipe a starter reads to learn how the start went. */
const readyFd = 3;

/** Tells the starter, if there is one, in a single JSON line, and closes the pipe. */
export function tellStarter(outcome: { ok: true; pid: number; epoch: number } | Refusal<ErrorCode>): void {
  const line = outcome.ok
    ? { ready: true, pid: outcome.pid, epoch: outcome.epoch }
    : {
        ready: false,
        code: outcome.code,
        message: outcome.message,
        hint: outcome.hint ?? errorCodes[outcome.code].hint,
      };
  try {
    if (!fstatSync(readyFd).isFIFO() && !fstatSync(readyFd).isSocket()) return;
    writeSync(readyFd, `${JSON.stringify(line)}\n`);
    closeSync(readyFd);
  } catch {
    // Started by hand or by the service: nobody waits for the line.
  }
}
