import { type Decision, events, fromDaemon, move } from './decision.ts';
import type { Evidence, FleetEvent } from './events.ts';
import { assess } from './evidence.ts';
import type { Report } from './inputs.ts';
import { askToEnd } from './process-end.ts';
import type { Session } from './state.ts';

/**
 * A launch has come to something. Its first prompt goes before whatever else waits, a stop that was asked meanwhile is
 * passed on, and what the agent said before anyone told that it runs counts now: it need not say it again.
 */
export function started(session: Session, input: Extract<Report, { type: 'process/started' }>): Decision {
  if (session.launching === null) return events();
  const { at, incarnation, process, prompt } = input;
  const ending = session.stopping === null ? null : askToEnd(session, at, 'person');
  const said = assess({ ...session, process, launching: null }, heardSince(session), at);
  const queued: FleetEvent[] =
    prompt === null ? [] : [{ type: 'message.queued', session: session.id, ...prompt, steer: false, first: true }];
  return {
    ok: true,
    events: [
      { type: 'session.processStarted', session: session.id, incarnation, process },
      ...queued,
      move(session, 'starting', fromDaemon(at, 'process-started', 'starting', `Process ${process.pid} runs`)),
      ...(said.ok ? said.events.filter(({ type }) => type !== 'evidence.seen') : []),
      ...(ending?.events ?? []),
    ],
    effects: ending?.effects ?? [],
  };
}

/** All that came after what made it start; an earlier process spoke before that. */
function heardSince({ evidence, evidenceLog }: Session): readonly Evidence[] {
  const { signal, at } = evidence;
  return evidenceLog.slice(evidenceLog.findLastIndex((piece) => piece.signal === signal && piece.at === at) + 1);
}
