import type { StateSource } from '../protocol/index.ts';
import { type Decision, events, move } from './decision.ts';
import type { Evidence, FleetEvent } from './events.ts';
import type { Session } from './state.ts';

/** Most believable first. A person and the end of a process are facts; the rest are reports of differing worth. */
const ranking: readonly StateSource[] = [
  'person',
  'process',
  'daemon',
  'server',
  'osc7501',
  'hook',
  'file',
  'mark',
  'title',
  'silence',
];

/** A better source that has been quiet for this long may have missed a change it is known to report. */
const missedAfterMs = 2_000;

/**
 * Weighs new evidence against what the session's state rests on. A source at least as believable as the present one
 * decides; a lesser one decides only when the present one has been quiet for `missedAfterMs` and is itself no better
 * than a guess, or speaks of a later moment while the state is still the one before the first report.
 */
export function assess(session: Session, evidence: readonly Evidence[]): Decision {
  const happened: FleetEvent[] = [];
  let present = session;
  for (const piece of evidence) {
    if (piece.state === undefined || !isConvincing(present, piece)) {
      happened.push({ type: 'evidence.seen', session: session.id, evidence: piece });
      continue;
    }
    const to = present.held && (piece.state === 'ready' || piece.state === 'review') ? 'paused' : piece.state;
    happened.push(move(present, to, piece));
    present = { ...present, state: to, evidence: piece, stateSince: piece.at };
  }
  return events(...happened);
}

function isConvincing(session: Session, piece: Evidence): boolean {
  if (session.process === null || piece.at < session.evidence.at) return false;
  const present = session.evidence;
  if (present.source === 'person' || present.source === 'daemon' || session.state === 'starting') return true;
  if (rankOf(piece.source) <= rankOf(present.source)) return true;
  return present.confidence === 'guess' && piece.at - present.at > missedAfterMs;
}

function rankOf(source: StateSource): number {
  return ranking.indexOf(source);
}
