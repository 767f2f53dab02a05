import { assert, unreachable } from '../base/index.ts';
import { type Evidence, type FleetEvent, isDurable } from './events.ts';
import { evidenceMax, type FleetState, type Session } from './state.ts';

/**
 * Applies one event. The only writer of a `FleetState`; never refuses, because events are facts. `at` is the event's
 * time in ms since the epoch. The same events in the same order give the same state everywhere.
 */
export function evolve(state: FleetState, event: FleetEvent, at: number): void {
  if (isDurable(event)) {
    state.seq++;
    state.at = at;
  }
  switch (event.type) {
    case 'daemon.started':
      state.epoch = event.epoch;
      state.slots = event.slots;
      state.holders = new Map();
      state.isResting = true;
      for (const { id, driver, footprintMiB, terminalPaused } of state.sessions.values()) {
        if (driver !== null || footprintMiB !== null || terminalPaused !== null) change(state, id, learnedAnew);
      }
      return;
    case 'daemon.stopped':
      state.isResting = true;
      return;
    case 'project.added':
      state.projects.set(event.project, { id: event.project, root: event.root, name: event.name });
      return;
    case 'task.added':
      state.tasks.set(event.task, {
        id: event.task,
        spec: event.spec,
        addedAt: at,
        reserved: event.session,
        session: null,
        token: 0,
        outcome: null,
      });
      return;
    case 'task.claimed':
      return changeTask(state, event.task, { session: event.session, token: event.token });
    case 'task.finished':
      return changeTask(state, event.task, { outcome: event.outcome, token: event.token });
    case 'task.removed':
      state.tasks.delete(event.task);
      return;
    case 'session.created': {
      const evidence: Evidence = { source: 'daemon', signal: 'created', at, confidence: 'sure', state: 'starting' };
      state.sessions.set(event.session, {
        id: event.session,
        task: event.task,
        name: event.name,
        slug: event.slug,
        tab: event.tab,
        createdAt: at,
        state: 'starting',
        stateSince: at,
        evidence,
        evidenceLog: [evidence],
        deep: false,
        worktree: null,
        incarnation: 0,
        launching: null,
        process: null,
        conversation: null,
        exit: null,
        loss: null,
        stopping: null,
        held: false,
        removing: null,
        messages: [],
        driver: null,
        title: '',
        head: 0,
        lastOutputAt: at,
        footprintMiB: null,
        terminalPaused: null,
      });
      return;
    }
    case 'session.worktreeReady':
      return change(state, event.session, { worktree: event.worktree });
    case 'session.launchRequested':
      changeTask(state, sessionOf(state, event.session).task, { token: event.incarnation });
      return change(state, event.session, {
        incarnation: event.incarnation,
        launching: { resume: event.resume },
        exit: null,
        loss: null,
        stopping: null,
        head: 0,
        title: '',
      });
    case 'session.processStarted':
      return change(state, event.session, {
        launching: null,
        process: event.process,
        conversation: event.process.conversation ?? sessionOf(state, event.session).conversation,
        lastOutputAt: at,
      });
    case 'session.processExited':
      return change(state, event.session, { ...gone, exit: event.exit });
    case 'session.processLost':
      return change(state, event.session, { ...gone, loss: { cause: event.cause, cutState: event.cutState } });
    case 'session.adopted': {
      const session = sessionOf(state, event.session);
      assert(session.process !== null, 'Only a session with a process is adopted');
      return change(state, event.session, { process: { ...session.process, holder: event.holder } });
    }
    case 'session.stateChanged': {
      const session = sessionOf(state, event.session);
      return change(state, event.session, {
        state: event.to,
        stateSince: at,
        deep: false,
        evidence: event.evidence,
        evidenceLog: remember(session, event.evidence),
      });
    }
    case 'session.confirmed':
      return change(state, event.session, {
        evidence: event.evidence,
        evidenceLog: remember(sessionOf(state, event.session), event.evidence),
      });
    case 'session.deepened':
      return change(state, event.session, { deep: event.deep });
    case 'session.stopRequested':
      return change(state, event.session, { stopping: { killAt: event.killAt, killed: false } });
    case 'session.killed': {
      const { stopping } = sessionOf(state, event.session);
      return change(state, event.session, { stopping: { killAt: stopping?.killAt ?? at, killed: true } });
    }
    case 'session.paused':
      return change(state, event.session, { held: true });
    case 'session.unpaused':
      return change(state, event.session, { held: false });
    case 'session.settled':
      return;
    case 'session.renamed':
      return change(state, event.session, { name: event.name });
    case 'session.tabChanged':
      return change(state, event.session, { tab: event.tab });
    case 'session.removalRequested':
      return change(state, event.session, { removing: { force: event.force } });
    case 'session.removalRefused':
      return change(state, event.session, { removing: null });
    case 'session.removed':
      state.tasks.delete(sessionOf(state, event.session).task);
      state.sessions.delete(event.session);
      return;
    case 'message.queued': {
      const { messages } = sessionOf(state, event.session);
      const message = { id: event.message, text: event.text, steer: event.steer };
      const place = event.first ? 0 : event.steer ? messages.findLastIndex(({ steer }) => steer) + 1 : messages.length;
      return change(state, event.session, { messages: messages.toSpliced(place, 0, message) });
    }
    case 'message.sent': {
      const { messages } = sessionOf(state, event.session);
      return change(state, event.session, { messages: messages.filter((message) => message.id !== event.message) });
    }
    case 'driver.changed':
      return change(state, event.session, { driver: event.device });
    case 'recovery.finished':
      state.lastRecovery = event.report;
      state.bootId = event.bootId;
      state.isResting = false;
      return;
    case 'evidence.seen':
      return change(state, event.session, { evidenceLog: remember(sessionOf(state, event.session), event.evidence) });
    case 'output.seen':
      return change(state, event.session, { head: event.head, lastOutputAt: at });
    case 'title.changed':
      return change(state, event.session, { title: event.title });
    case 'footprint.measured':
      return change(state, event.session, { footprintMiB: event.footprintMiB });
    case 'holder.seen':
      state.holders.set(event.holder, { pid: event.pid, alive: event.alive });
      return;
    case 'terminal.paused':
      return change(state, event.session, {
        terminalPaused: event.reason === null ? null : { reason: event.reason, message: event.message },
      });
    default:
      unreachable(event, 'Unknown event');
  }
}

/** What only the daemon that ended knew, though a snapshot may have kept it. */
const learnedAnew = { driver: null, footprintMiB: null, terminalPaused: null } satisfies Partial<Session>;

/** What ends with a process. */
const gone = {
  process: null,
  launching: null,
  stopping: null,
  held: false,
  ...learnedAnew,
} satisfies Partial<Session>;

function sessionOf(state: FleetState, id: string): Session {
  const session = state.sessions.get(id);
  assert(session !== undefined, `Event names session ${id}, which is not there`);
  return session;
}

function change(state: FleetState, id: string, changes: Partial<Session>): void {
  state.sessions.set(id, { ...sessionOf(state, id), ...changes });
}

function changeTask(
  state: FleetState,
  id: string,
  changes: Partial<{ session: string; token: number; outcome: 'done' | 'failed' | 'dropped' }>,
): void {
  const task = state.tasks.get(id);
  assert(task !== undefined, `Event names task ${id}, which is not there`);
  state.tasks.set(id, { ...task, ...changes });
}

function remember(session: Session, evidence: Evidence): readonly Evidence[] {
  return [...session.evidenceLog, evidence].slice(-evidenceMax);
}
