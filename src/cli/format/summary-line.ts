import type { FleetLists } from '../../client/index.ts';
import type { SessionDocument, SessionState } from '../../protocol/index.ts';
import { longDuration } from './durations.ts';

const needsYou: ReadonlySet<SessionState> = new Set(['blocked', 'failed', 'review']);

export function waitsForYou({ state }: SessionDocument): boolean {
  return needsYou.has(state);
}

/** The whole fleet in one line: who waits on you, who is deep, who has bandwidth. */
export function summaryLine({ sessions, queued, host }: FleetLists, now: number): string {
  const waiting = sessions.filter(waitsForYou);
  const oldest = Math.min(...waiting.map(({ stateSince }) => Date.parse(stateSince)));
  const count = (state: SessionState) => sessions.filter((session) => session.state === state).length;
  const deep = sessions.filter(({ deep, state }) => deep && state === 'working').length;
  const simulated = sessions.filter((session) => session.simulated).length;
  const parts = [
    waiting.length > 0 && `${waiting.length} waiting on you (oldest ${longDuration(now - oldest)})`,
    some(deep, 'deep'),
    some(count('working') - deep, 'working'),
    ...(['starting', 'ready', 'parked', 'unknown', 'lost', 'paused', 'asleep', 'done'] as const).map((state) =>
      some(count(state), state),
    ),
    some(queued.length, 'queued'),
    host !== null && `${host.slots.used} of ${host.slots.total} slots`,
    simulated > 0 && `${simulated === sessions.length ? 'all' : simulated} simulated`,
  ].filter((part) => part !== false);
  if (sessions.length + queued.length === 0) return `No sessions${host === null ? '' : `, ${host.slots.total} slots`}`;
  return parts.join(', ');
}

function some(count: number, what: string): string | false {
  return count > 0 && `${count} ${what}`;
}
