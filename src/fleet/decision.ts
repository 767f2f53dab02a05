import type { Refusal } from '../base/index.ts';
import type { ErrorCode, SessionState } from '../protocol/index.ts';
import type { Evidence, FleetEvent } from './events.ts';
import type { Effect } from './inputs.ts';
import type { Session } from './state.ts';

/** What follows from an input or a rule: facts to record and things to do, or an expected no. */
export type Decision = { ok: true; events: FleetEvent[]; effects: Effect[] } | Refusal<ErrorCode>;

export function events(...happened: FleetEvent[]): Decision {
  return { ok: true, events: happened, effects: [] };
}

/** A change of state, or only another piece of evidence when the state stays. */
export function move(session: Session, to: SessionState, evidence: Evidence): FleetEvent {
  if (session.state === to) return { type: 'evidence.seen', session: session.id, evidence };
  return { type: 'session.stateChanged', session: session.id, from: session.state, to, evidence };
}

export function signal(session: Session, name: 'SIGTERM' | 'SIGKILL'): Effect {
  return { type: 'process/signal', session: session.id, incarnation: session.incarnation, signal: name };
}

/** Signal of the guess that a prompt has begun a turn; a daemon that ends before the typing leaves it unconfirmed. */
export const messageSent = 'message-sent';

export function fromDaemon(at: number, name: string, state: SessionState, detail: string): Evidence {
  return { source: 'daemon', signal: name, at, confidence: 'sure', state, detail };
}
