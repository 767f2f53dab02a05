import type { Confidence, StateSource } from '../protocol/index.ts';
import { type Decision, events, move } from './decision.ts';
import type { Evidence, FleetEvent } from './events.ts';
import { type Session, stateUnderPause } from './state.ts';

/** Sources that speak for an agent, most believable first. */
const ranking: readonly StateSource[] = ['process', 'server', 'osc7501', 'hook', 'file', 'mark', 'title', 'silence'];

/** A better source that has been quiet for this long may have missed a change it is known to report. */
const missedAfterMs = 2_000;

/**
 * Weighs new evidence against what the session's state rests on. A source at least as believable as the present one
 * decides; a lesser one only when the present is no better than a guess and has been quiet for `missedAfterMs`. What a
 * person did or the daemon supposed holds until anyone says more. Better proof of the same state is kept as well, else
 * the next doubtful voice would be weighed against the first one that was believed. `at` is the reader's time: agents
 * stamp their own files, and a piece from the future would outvote all others until then.
 */
export function assess(session: Session, evidence: readonly Evidence[], at: number): Decision {
  const happened: FleetEvent[] = [];
  let present = session;
  for (const said of evidence) {
    const piece = said.at > at ? { ...said, at } : said;
    if (piece.state === undefined || !isConvincing(present, piece)) {
      happened.push({ type: 'evidence.seen', session: session.id, evidence: piece });
      continue;
    }
    const to = present.held && (piece.state === 'ready' || piece.state === 'review') ? 'paused' : piece.state;
    const isBetterProof = weaknessOf(piece) < weaknessOf(present.evidence) || piece.state !== stateUnderPause(present);
    if (to === present.state && !isBetterProof) {
      happened.push({ type: 'evidence.seen', session: session.id, evidence: piece });
      continue;
    }
    happened.push(
      to === present.state
        ? { type: 'session.confirmed', session: session.id, evidence: piece }
        : move(present, to, piece),
    );
    present = { ...present, state: to, evidence: piece };
  }
  return events(...happened);
}

function isConvincing(session: Session, piece: Evidence): boolean {
  const present = session.evidence;
  if (session.process === null || piece.at < present.at) return false;
  if (isProvisional(present) || session.state === 'starting') return true;
  if (rankOf(piece.source) <= rankOf(present.source)) return true;
  return present.confidence === 'guess' && piece.at - present.at > missedAfterMs;
}

/** Holds only until an agent says something itself. */
function isProvisional({ source }: Evidence): boolean {
  return source === 'person' || source === 'daemon';
}

function rankOf(source: StateSource): number {
  return ranking.indexOf(source);
}

const doubt: Record<Confidence, number> = { sure: 0, likely: 1, guess: 2 };

/** Less is stronger: by source, then by confidence; what is provisional is weakest. */
function weaknessOf(evidence: Evidence): number {
  return isProvisional(evidence) ? Number.POSITIVE_INFINITY : rankOf(evidence.source) * 3 + doubt[evidence.confidence];
}
