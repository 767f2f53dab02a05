import { ok, type Result, refuse, unreachable } from '../base/index.ts';
import type { ErrorCode, SessionState } from '../protocol/index.ts';
import { type Decision, events, fromDaemon, move } from './decision.ts';
import type { Evidence, ExitFacts, FleetEvent } from './events.ts';
import { assess } from './evidence.ts';
import type { Input } from './inputs.ts';
import { freeName, nameLengthMax, plainLine, titleLengthMax } from './naming.ts';
import { askToEnd, exited, finishTask, lost } from './process-end.ts';
import { started } from './process-start.ts';
import { recover } from './recovery.ts';
import {
  type FleetState,
  holdsSlot,
  messagesMax,
  queuedTasks,
  type Session,
  sessionOnTab,
  stateUnderPause,
  stopGraceMs,
  tabsMax,
  usedSlots,
} from './state.ts';

/**
 * The direct answer to one input: what happened because of it and what is to be done, or a refusal. Standing rules (fill
 * free slots, deliver messages, kill what will not stop) are not here but in `followUp`, which runs after every input.
 */
export function decide(state: FleetState, input: Input): Decision {
  switch (input.type) {
    case 'task/start': {
      if (state.tasks.has(input.task)) return events();
      const { id, root } = input.project;
      const project = [...state.projects.values()].find((known) => known.root === root);
      const wanted = input.spec.name === null ? null : sessionName(state, input.spec.name);
      if (wanted?.ok === false) return wanted;
      const spec = {
        ...input.spec,
        project: project?.id ?? id,
        title: plainLine(input.spec.title, titleLengthMax),
        name: wanted?.value ?? null,
      };
      if (typeof spec.tab === 'number' && sessionOnTab(state, spec.tab)) {
        return refuse('tab/taken', `Cannot use tab ${spec.tab}: "${sessionOnTab(state, spec.tab)?.name}" is on it`);
      }
      const added: FleetEvent = { type: 'task.added', task: input.task, session: input.session, spec };
      return project === undefined
        ? events({ type: 'project.added', project: id, root, name: input.project.name }, added)
        : events(added);
    }
    case 'task/remove': {
      const task = state.tasks.get(input.task);
      if (task === undefined) return refuse('task/not-found', `No task "${input.task}"`);
      if (task.session !== null)
        return refuse(
          'session/wrong-state',
          `Task "${task.spec.title}" already has a session`,
          `concert rm ${task.session}`,
        );
      return events({ type: 'task.removed', task: task.id });
    }
    case 'session/stop':
      return withSession(state, input.session, (session) => stop(session, input.at));
    case 'session/resume':
      return withSession(state, input.session, (session) => resume(state, session, input.at));
    case 'session/pause':
      return withSession(state, input.session, (session) => {
        if (session.process === null)
          return refuse('session/not-live', `Session "${session.name}" has no process to pause`);
        if (session.held) return events();
        const isAtRest = session.state === 'ready' || session.state === 'review';
        return events(
          { type: 'session.paused', session: session.id },
          ...(isAtRest ? [move(session, 'paused', session.evidence)] : []),
        );
      });
    case 'session/settle':
      return withSession(state, input.session, (session) => {
        if (session.state !== 'review' && session.state !== 'failed') {
          return refuse('session/wrong-state', `Session "${session.name}" is ${session.state}: nothing to settle`);
        }
        const isOver = session.process === null;
        const to = isOver ? 'done' : 'ready';
        return events(
          { type: 'session.settled', session: session.id },
          move(session, to, byPerson(input.at, 'settled', to)),
          ...(isOver ? finishTask(state, session, session.state === 'failed' ? 'failed' : 'done') : []),
        );
      });
    case 'session/rename':
      return withSession(state, input.session, (session) => {
        if (plainLine(input.name, nameLengthMax) === session.name) return events();
        const name = sessionName(state, input.name);
        if (!name.ok) return name;
        return events({ type: 'session.renamed', session: session.id, name: name.value });
      });
    case 'session/bind-tab':
      return withSession(state, input.session, (session) => {
        const { tab } = input;
        if (tab === session.tab) return events();
        if (tab !== null && !(Number.isInteger(tab) && tab >= 1 && tab <= tabsMax))
          return refuse('tab/invalid', `There is no tab ${tab}`);
        const holder = tab === null ? undefined : sessionOnTab(state, tab);
        const freed: FleetEvent[] =
          holder === undefined ? [] : [{ type: 'session.tabChanged', session: holder.id, tab: null }];
        return events(...freed, { type: 'session.tabChanged', session: session.id, tab });
      });
    case 'session/send':
      return withSession(state, input.session, (session) => {
        if (session.process === null && session.launching === null && session.state !== 'starting') {
          return refuse(
            'session/not-live',
            `Session "${session.name}" is ${session.state}: nobody is there to read the message`,
            `concert resume ${session.id}`,
          );
        }
        if (session.messages.some(({ id }) => id === input.message)) return events();
        if (session.messages.length >= messagesMax) {
          return refuse(
            'daemon/overloaded',
            `Cannot queue a message for "${session.name}": ${messagesMax} wait already`,
            `concert show ${session.id}`,
          );
        }
        return events({
          type: 'message.queued',
          session: session.id,
          message: input.message,
          text: input.text,
          steer: input.now,
        });
      });
    case 'session/remove':
      return withSession(state, input.session, (session) => remove(session, input.force));
    case 'session/drive':
      return withSession(state, input.session, (session) => {
        const { device, from, take } = input;
        if (device === session.driver) return events();
        if (device === null)
          return session.driver === from
            ? events({ type: 'driver.changed', session: session.id, device: null })
            : events();
        if (session.driver !== null && !take)
          return refuse('session/not-driver', `Another terminal drives "${session.name}"`);
        return events({ type: 'driver.changed', session: session.id, device });
      });

    case 'daemon/started': {
      const { epoch, pid, version, bootId, slots } = input;
      return events({ type: 'daemon.started', epoch, pid, version, bootId, slots });
    }
    case 'daemon/stopping':
      return events({ type: 'daemon.stopped' });
    case 'recovery/inventory':
      return recover(state, input);
    case 'worktree/created':
      return ifSession(state, input.session, (session) =>
        session.worktree === null
          ? events({ type: 'session.worktreeReady', session: session.id, worktree: input.worktree })
          : events(),
      );
    case 'worktree/failed':
      return ifSession(state, input.session, (session) =>
        session.worktree === null && session.state === 'starting'
          ? events(move(session, 'failed', fromDaemon(input.at, input.code, 'failed', input.message)))
          : events(),
      );
    case 'worktree/removed':
      return ifRemoving(state, input.session, (session) => ({
        ok: true,
        events: [
          ...finishTask(state, session, 'dropped'),
          { type: 'session.removed', session: session.id, backupRef: input.backupRef },
        ],
        effects: [{ type: 'session/forget', session: session.id }],
      }));
    case 'worktree/kept':
      return ifRemoving(state, input.session, (session) =>
        events({ type: 'session.removalRefused', session: session.id, message: input.message }),
      );
    case 'process/started':
      return ifIncarnation(state, input, (session) => started(session, input));
    case 'process/failed':
      return ifIncarnation(state, input, (session) => {
        if (session.launching === null) return events();
        const exit: ExitFacts = { code: null, signal: null, error: input.code, message: input.message };
        return events(
          { type: 'session.processExited', session: session.id, incarnation: input.incarnation, exit },
          move(session, 'failed', fromDaemon(input.at, input.code, 'failed', input.message)),
        );
      });
    case 'process/exited':
      return ifNotEnded(state, input, (session) => exited(state, session, input.exit, input.at));
    case 'process/lost':
      return ifNotEnded(state, input, (session) => events(...lost(session, input.cause, input.at)));
    case 'holder/seen':
      return events({ type: 'holder.seen', holder: input.holder, pid: input.pid, alive: input.alive });
    case 'session/evidence':
      return ifIncarnation(state, input, (session) => assess(session, input.evidence, input.at));
    case 'session/output':
      return ifIncarnation(state, input, (session) =>
        events({ type: 'output.seen', session: session.id, head: input.head }),
      );
    case 'session/title':
      return ifIncarnation(state, input, (session) =>
        session.title === input.title
          ? events()
          : events({ type: 'title.changed', session: session.id, title: input.title }),
      );
    case 'session/footprint':
      return ifLive(state, input, (session) =>
        events({ type: 'footprint.measured', session: session.id, footprintMiB: input.footprintMiB }),
      );
    case 'session/terminal-paused':
      return ifLive(state, input, (session) =>
        events({ type: 'terminal.paused', session: session.id, reason: input.reason, message: input.message }),
      );
    case 'message/failed':
      return ifSession(state, input.session, (session) => {
        const { incarnation, message, text, steer } = input;
        if (session.messages.some(({ id }) => id === message)) return events();
        const why = fromDaemon(input.at, 'message-failed', 'unknown', 'A message could not be typed; it waits');
        return events(
          { type: 'message.queued', session: session.id, message, text, steer, first: true },
          ...(session.process !== null && session.incarnation === incarnation ? [move(session, 'unknown', why)] : []),
        );
      });
    case 'tick':
      return events();
    default:
      return unreachable(input, 'Unknown input');
  }
}

function byPerson(at: number, name: string, state: SessionState): Evidence {
  return { source: 'person', signal: name, at, confidence: 'sure', state };
}

function withSession(state: FleetState, id: string, then: (session: Session) => Decision): Decision {
  const session = state.sessions.get(id);
  return session === undefined ? refuse('session/not-found', `No session "${id}"`) : then(session);
}

/** Reports may arrive after their session is gone; they then mean nothing. */
function ifSession(state: FleetState, id: string, then: (session: Session) => Decision): Decision {
  const session = state.sessions.get(id);
  return session === undefined ? events() : then(session);
}

/** A report about an earlier process of the session says nothing about the present one. */
function ifIncarnation(
  state: FleetState,
  report: { session: string; incarnation: number },
  then: (session: Session) => Decision,
): Decision {
  return ifSession(state, report.session, (session) =>
    session.incarnation === report.incarnation ? then(session) : events(),
  );
}

/** Ends are told more than once: by the holder, by its log, by whoever asks again after a restart. The first counts. */
function ifNotEnded(
  state: FleetState,
  report: { session: string; incarnation: number },
  then: (session: Session) => Decision,
): Decision {
  return ifIncarnation(state, report, (session) =>
    session.process !== null || session.launching !== null ? then(session) : events(),
  );
}

/** What was measured on a process says nothing once that is gone. */
function ifLive(
  state: FleetState,
  report: { session: string; incarnation: number },
  then: (session: Session) => Decision,
): Decision {
  return ifIncarnation(state, report, (session) => (session.process === null ? events() : then(session)));
}

function ifRemoving(state: FleetState, id: string, then: (session: Session) => Decision): Decision {
  return ifSession(state, id, (session) => (session.removing === null ? events() : then(session)));
}

/** A name as it may be shown and typed; refused when it says nothing, reads as a tab, or is spoken for. */
function sessionName(state: FleetState, wanted: string): Result<string, ErrorCode> {
  const name = plainLine(wanted, nameLengthMax);
  if (name === '' || /^\d+$/.test(name)) {
    return refuse('request/invalid', 'A name needs a character that is not a digit');
  }
  const isWaitedFor = queuedTasks(state).some((task) => task.spec.name === name);
  if (isWaitedFor || freeName(state, name) !== name) {
    return refuse('session/name-taken', `Cannot name a session "${name}": another has that name`);
  }
  return ok(name);
}

/** A process on its way is told as soon as it is there; a session without one stays without. */
function stop(session: Session, at: number): Decision {
  if (session.stopping !== null) return events();
  if (session.process !== null) return askToEnd(session, at, 'person');
  if (session.launching !== null) {
    return events({ type: 'session.stopRequested', session: session.id, killAt: at + stopGraceMs, by: 'person' });
  }
  if (session.state === 'starting') {
    return events(move(session, 'asleep', { ...byPerson(at, 'stopped', 'asleep'), detail: 'stopped before it ran' }));
  }
  return refuse('session/not-live', `Session "${session.name}" has no process to stop`, `concert resume ${session.id}`);
}

function remove(session: Session, force: boolean): Decision {
  if (holdsSlot(session)) {
    const how = session.process === null ? 'it is starting' : 'its process is running';
    return refuse('session/live', `Cannot remove "${session.name}": ${how}`, `concert stop ${session.id}`);
  }
  if (session.removing !== null) {
    return force && !session.removing.force
      ? refuse('session/wrong-state', `Session "${session.name}" is being removed already; wait how that ends`)
      : events();
  }
  return {
    ok: true,
    events: [{ type: 'session.removalRequested', session: session.id, force }],
    effects: [{ type: 'worktree/remove', session: session.id, force }],
  };
}

function resume(state: FleetState, session: Session, at: number): Decision {
  if (session.removing !== null) {
    return refuse('session/wrong-state', `Session "${session.name}" is being removed`);
  }
  if (session.held && session.process !== null) {
    const to = stateUnderPause(session) === 'review' ? 'review' : 'ready';
    return events(
      { type: 'session.unpaused', session: session.id },
      ...(session.state === 'paused' ? [move(session, to, session.evidence)] : []),
    );
  }
  if (holdsSlot(session)) {
    return refuse('session/live', `Session "${session.name}" is running already`, `concert attach ${session.id}`);
  }
  if (usedSlots(state) >= state.slots) {
    return refuse(
      'fleet/no-slot',
      `Cannot resume "${session.name}": all ${state.slots} slots are in use, and a session keeps its slot until it is stopped`,
    );
  }
  if (session.worktree === null) {
    return {
      ok: true,
      events: [move(session, 'starting', byPerson(at, 'resumed', 'starting'))],
      effects: [{ type: 'worktree/create', session: session.id }],
    };
  }
  const spec = state.tasks.get(session.task)?.spec;
  const hadProcess = session.incarnation > 0 && session.exit?.error == null;
  if (hadProcess && spec?.can.resume !== true) {
    return refuse(
      'session/cannot-resume',
      `Session "${session.name}" is a plain command: it has no conversation to go on with`,
      `concert logs ${session.id}`,
    );
  }
  const incarnation = session.incarnation + 1;
  const canGoOn = spec?.can.resume === true && session.conversation !== null;
  return {
    ok: true,
    events: [
      { type: 'session.launchRequested', session: session.id, incarnation, resume: canGoOn },
      move(session, 'starting', byPerson(at, 'resumed', 'starting')),
    ],
    effects: [{ type: 'session/launch', session: session.id, incarnation, resume: canGoOn }],
  };
}
