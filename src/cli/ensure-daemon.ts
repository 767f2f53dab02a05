import { existsSync, readdirSync } from 'node:fs';
import { type Clock, type Result, refuse } from '../base/index.ts';
import { Api, type Transport, Unreachable } from '../client/index.ts';
import type { ErrorCode, Home, RecoveryDocument } from '../protocol/index.ts';
import { downMarker } from './down-marker.ts';
import type { Invocation } from './invocation.ts';
import { createUnixTransport } from './transport.ts';

/**
 * What a verb does when no daemon answers. `start`: starts it. `revive`: starts it again if it died, but not when it was
 * stopped on purpose or never ran here. `none`: does without.
 */
export type DaemonNeed = 'start' | 'revive' | 'none';

interface Surroundings {
  invocation: Invocation;
  home: Home;
  clock: Clock;
  /** One line to the person about what was done. */
  tell(line: string): void;
}

/** Brings the daemon back where `need` allows it; refused with the reason where not. Sessions never depended on it. */
export async function ensureDaemon(need: DaemonNeed, around: Surroundings): Promise<Result<null, ErrorCode>> {
  const { home, invocation, clock } = around;
  const wasStopped = existsSync(downMarker(home));
  const died = !wasStopped && (existsSync(home.daemonFile) || holdsEntries(home.registry));
  if (need === 'none' || (need === 'revive' && !died)) {
    return wasStopped
      ? refuse('daemon/not-running', 'Concertmaster was stopped with concert down; sessions went on without it')
      : refuse('daemon/not-running', 'Concertmaster is not running here');
  }
  const { startDaemon } = await import('./start-daemon.ts');
  const started = await startDaemon(invocation, home, clock);
  if (started.ok && died) around.tell(await revivalNotice(home));
  return started;
}

/** A transport that, when nothing listens, brings the daemon back once and asks again. */
export function createRevivingTransport(need: DaemonNeed, around: Surroundings): Transport {
  const direct = createUnixTransport(around.home.socket);
  const retrying = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Unreachable) || error.code !== 'absent') throw error;
      const ensured = await ensureDaemon(need, around);
      if (!ensured.ok) throw new Unreachable('absent', ensured.message, { cause: error, refusal: ensured });
      return await ask();
    }
  };
  return {
    request: (...request) => retrying(() => direct.request(...request)),
    download: (...request) => retrying(() => direct.download(...request)),
    openSocket: (path) => direct.openSocket(path),
  };
}

async function revivalNotice(home: Home): Promise<string> {
  const status = await new Api(createUnixTransport(home.socket)).status();
  const recovery = status.ok ? status.value.recovery : null;
  return revivalLine(recovery);
}

export function revivalLine(recovery: RecoveryDocument | null): string {
  const lost = recovery?.lost.length ?? 0;
  if (recovery === null || lost === 0) return 'The daemon had stopped; restarted, sessions kept running';
  return `The daemon had stopped; restarted: ${recovery.adopted.length} kept running, ${lost} lost (concert ls)`;
}

function holdsEntries(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    // No folder: nothing ever ran here.
    return false;
  }
}
