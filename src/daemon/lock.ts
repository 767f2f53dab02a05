import { closeSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { ok, type Result, refuse } from '../base/index.ts';
import type { ErrorCode } from '../protocol/index.ts';
import { processStartTicks } from './process-facts.ts';

interface Owner {
  pid: number;
  /** Tells a living owner from another process that got its pid. */
  startTicks: string | null;
}

/**
 * One daemon per home. The lock is a file that names its owner; one whose owner is gone is moved aside, which only one
 * of several starters can do. Dispose to give it back.
 */
export function lockHome(path: string): Result<Disposable, ErrorCode> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      const file = openSync(path, 'wx', 0o600);
      writeSync(file, JSON.stringify({ pid: process.pid, startTicks: processStartTicks(process.pid) } satisfies Owner));
      closeSync(file);
      return ok({ [Symbol.dispose]: () => release(path) });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    const owner = readOwner(path);
    if (owner !== null && isAlive(owner)) {
      return refuse(
        'daemon/already-running',
        `A daemon of this home runs already (process ${owner.pid}); this one did not start`,
      );
    }
    moveAside(path);
  }
  return refuse(
    'daemon/already-running',
    'Other daemons of this home are starting at this moment; this one did not start',
  );
}

/** Null for a lock that no daemon can have finished writing. */
function readOwner(path: string): Owner | null {
  try {
    const owner: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const isOwner = typeof owner === 'object' && owner !== null && 'pid' in owner && typeof owner.pid === 'number';
    return isOwner ? (owner as Owner) : null;
  } catch {
    // Missing, empty or torn by a crash: nobody holds it.
    return null;
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.pid === process.pid) return false;
  const ticks = processStartTicks(owner.pid);
  return ticks !== null && (owner.startTicks === null || ticks === owner.startTicks);
}

function moveAside(path: string): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
    unlinkSync(aside);
  } catch {
    // Another starter was quicker; the next round sees what it did.
  }
}

function release(path: string): void {
  const owner = readOwner(path);
  if (owner?.pid !== process.pid) return;
  try {
    unlinkSync(path);
  } catch {
    // Already gone with its folder.
  }
}
