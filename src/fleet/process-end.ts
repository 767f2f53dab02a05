import type { SessionState } from '../protocol/index.ts';
import { type Decision, events, fromDaemon, move, signal } from './decision.ts';
import type { DurableEvent, Evidence, ExitFacts, FleetEvent, LossCause } from './events.ts';
import type { Effect } from './inputs.ts';
import { type FleetState, type Session, stateUnderPause, stopGraceMs } from './state.ts';

/** Told to end, and killed at the end of the grace if it does not listen. */
export function askToEnd(
  session: Session,
  at: number,
  by: 'person' | 'fleet',
): { ok: true; events: FleetEvent[]; effects: Effect[] } {
  return {
    ok: true,
    events: [{ type: 'session.stopRequested', session: session.id, killAt: at + stopGraceMs, by }],
    effects: [signal(session, 'SIGTERM')],
  };
}

/**
 * Exit 0 is `done`, unless a finished turn still waits to be looked at; any other end is `failed`. A process that a
 * person stopped sleeps if its conversation can go on.
 */
export function exited(state: FleetState, session: Session, exit: ExitFacts, at: number): Decision {
  const to = stateAfterExit(state, session, exit);
  const evidence: Evidence = {
    source: 'process',
    signal: 'exited',
    at,
    confidence: 'sure',
    state: to,
    detail: describeExit(exit),
  };
  return events(
    { type: 'session.processExited', session: session.id, incarnation: session.incarnation, exit },
    move(session, to, evidence),
    ...(to === 'done' ? finishTask(state, session, 'done') : []),
  );
}

function stateAfterExit(state: FleetState, session: Session, exit: ExitFacts): SessionState {
  if (session.stopping !== null) return state.tasks.get(session.task)?.spec.can.resume === true ? 'asleep' : 'done';
  if (exit.code === 0 && exit.signal === null) return stateUnderPause(session) === 'review' ? 'review' : 'done';
  return 'failed';
}

function describeExit(exit: ExitFacts): string {
  if (exit.message !== null) return exit.message;
  return exit.signal === null ? `Ended with exit code ${exit.code}` : `Ended by ${exit.signal}`;
}

const lossSentences: Record<LossCause, string> = {
  'holder-gone': 'The process that held its terminal died and took the agent with it',
  reboot: 'The machine restarted',
  'unknown-channel': 'Its holder no longer knows it',
};

export function lost(session: Session, cause: LossCause, at: number): FleetEvent[] {
  return [
    {
      type: 'session.processLost',
      session: session.id,
      incarnation: session.incarnation,
      cause,
      cutState: session.state,
    },
    move(session, 'lost', fromDaemon(at, cause, 'lost', lossSentences[cause])),
  ];
}

export function finishTask(
  state: FleetState,
  session: Session,
  outcome: 'done' | 'failed' | 'dropped',
): DurableEvent[] {
  const task = state.tasks.get(session.task);
  if (task === undefined || task.outcome !== null) return [];
  return [{ type: 'task.finished', task: task.id, session: session.id, token: task.token, outcome }];
}
