import { type Decision, fromDaemon, messageSent, move } from './decision.ts';
import type { FleetEvent, LossCause, RecoveryReport } from './events.ts';
import type { Effect, FoundChannel, Report } from './inputs.ts';
import { askToEnd, exited, lost } from './process-end.ts';
import type { FleetState, Session } from './state.ts';

type Inventory = Extract<Report, { type: 'recovery/inventory' }>;

/**
 * Compares what the journal says should run with what the holders really have. Living processes are adopted, ends that
 * nobody saw are recorded, vanished ones are lost and said so; interrupted launches and stops are asked for again, since
 * the word may have died with the daemon. Nothing else is stopped and nothing resumed here: that is the person's.
 */
export function recover(state: FleetState, input: Inventory): Decision {
  const found = new Map<string, FoundChannel>();
  for (const channel of input.channels) found.set(`${channel.session}/${channel.incarnation}`, channel);

  const report: RecoveryReport = { adopted: [], ended: [], lost: [], relaunched: [], strangers: [] };
  const events: FleetEvent[] = [];
  const effects: Effect[] = [];
  const rebooted = state.bootId !== '' && input.bootId !== state.bootId;

  for (const session of state.sessions.values()) {
    const channel = found.get(`${session.id}/${session.incarnation}`);
    if (session.launching !== null) {
      report.relaunched.push(session.id);
      effects.push({
        type: 'session/launch',
        session: session.id,
        incarnation: session.incarnation,
        resume: session.launching.resume,
      });
    } else if (session.process !== null) {
      events.push(...recoverLive(state, session, channel, rebooted, input.at, report));
      if (session.stopping !== null && report.adopted.at(-1) === session.id) {
        const ending = askToEnd(session, input.at, 'fleet');
        events.push(...ending.events);
        effects.push(...ending.effects);
      }
    } else if (session.removing !== null) {
      effects.push({ type: 'worktree/remove', session: session.id, force: session.removing.force });
    } else if (session.state === 'starting' && session.worktree === null) {
      report.relaunched.push(session.id);
      effects.push({ type: 'worktree/create', session: session.id });
    }
  }
  for (const [session, isLive] of unknownSessions(state, input)) {
    if (isLive) report.strangers.push(session);
    else effects.push({ type: 'session/forget', session });
  }
  events.push({ type: 'recovery.finished', report, bootId: input.bootId });
  return { ok: true, events, effects };
}

/** Ended ones were removed by a daemon that died before it could have them forgotten; living ones are not ours to judge. */
function unknownSessions(state: FleetState, input: Inventory): Map<string, boolean> {
  const found = new Map<string, boolean>();
  for (const { session, pid } of input.channels) {
    if (!state.sessions.has(session)) found.set(session, found.get(session) === true || pid !== null);
  }
  return found;
}

const unsure = 'The daemon ended while a message was on its way to it: look whether it arrived';

function recoverLive(
  state: FleetState,
  session: Session,
  channel: FoundChannel | undefined,
  rebooted: boolean,
  at: number,
  report: RecoveryReport,
): FleetEvent[] {
  if (channel !== undefined && channel.exit !== null) {
    report.ended.push(session.id);
    const decision = exited(state, session, channel.exit, at);
    return decision.ok ? decision.events : [];
  }
  if (channel !== undefined && channel.pid !== null) {
    report.adopted.push(session.id);
    const isUnsure = session.evidence.source === 'daemon' && session.evidence.signal === messageSent;
    return [
      { type: 'session.adopted', session: session.id, incarnation: session.incarnation, holder: channel.holder },
      ...(isUnsure ? [move(session, 'unknown', fromDaemon(at, 'message-unsure', 'unknown', unsure))] : []),
    ];
  }
  const cause: LossCause = rebooted ? 'reboot' : channel === undefined ? 'holder-gone' : 'unknown-channel';
  const canResume = state.tasks.get(session.task)?.spec.can.resume === true && session.conversation !== null;
  const wasCut = session.state === 'working' || session.state === 'starting' || session.state === 'blocked';
  report.lost.push({ session: session.id, cause, canResume, wasCut });
  return lost(session, cause, at);
}
