import { type Decision, events, fromDaemon, messageSent, move, signal } from './decision.ts';
import { freeName, freeSlug, slugOf } from './naming.ts';
import { deepAfterMs, type FleetState, freeTab, queuedTasks, type Session, usedSlots } from './state.ts';

/**
 * The standing rules: what must follow from the state as it is now, whoever brought it about. Applied one rule at a time
 * until none has anything to say; each rule makes its own condition false, so this ends. Null means quiet.
 */
export function followUp(state: FleetState, at: number): Decision | null {
  return launchReady(state, at) ?? dispatch(state) ?? deliver(state, at) ?? deepen(state, at) ?? killOverdue(state, at);
}

/** When the rules next have something to say by the passing of time alone; null for never. */
export function nextWakeAt(state: FleetState): number | null {
  if (state.isResting) return null;
  let next = Number.POSITIVE_INFINITY;
  for (const session of state.sessions.values()) {
    if (session.stopping !== null && !session.stopping.killed && session.process !== null)
      next = Math.min(next, session.stopping.killAt);
    if (session.state === 'working' && !session.deep) next = Math.min(next, session.stateSince + deepAfterMs);
  }
  return next === Number.POSITIVE_INFINITY ? null : next;
}

/** A worktree that has become ready wants its process. */
function launchReady(state: FleetState, at: number): Decision | null {
  for (const session of state.sessions.values()) {
    if (
      session.state !== 'starting' ||
      session.worktree === null ||
      session.process !== null ||
      session.launching !== null
    )
      continue;
    const incarnation = session.incarnation + 1;
    return {
      ok: true,
      events: [
        { type: 'session.launchRequested', session: session.id, incarnation, resume: false },
        move(session, 'starting', fromDaemon(at, 'worktree-ready', 'starting', 'Its folder is ready')),
      ],
      effects: [{ type: 'session/launch', session: session.id, incarnation, resume: false }],
    };
  }
  return null;
}

/** The first queued task takes a free slot. */
function dispatch(state: FleetState): Decision | null {
  if (usedSlots(state) >= state.slots) return null;
  const task = queuedTasks(state)[0];
  if (task === undefined) return null;
  const name = freeName(state, task.spec.name ?? slugOf(task.spec.title));
  const wanted = task.spec.tab;
  const tab = wanted === 'auto' ? freeTab(state) : typeof wanted === 'number' && isFree(state, wanted) ? wanted : null;
  return {
    ok: true,
    events: [
      { type: 'task.claimed', task: task.id, session: task.reserved, token: 1 },
      {
        type: 'session.created',
        session: task.reserved,
        task: task.id,
        name,
        slug: freeSlug(state, slugOf(name)),
        tab,
      },
    ],
    effects: [{ type: 'worktree/create', session: task.reserved }],
  };
}

function isFree(state: FleetState, tab: number): boolean {
  for (const session of state.sessions.values()) if (session.tab === tab) return false;
  return true;
}

/**
 * The next message goes out when the agent can take one: never into a dialog, a pause or an ending process, and mid-turn
 * only when it steers. A prompt begins a turn, so that the message after it waits for the end of that.
 */
function deliver(state: FleetState, at: number): Decision | null {
  for (const session of state.sessions.values()) {
    const message = session.messages[0];
    if (message === undefined) continue;
    const prompts = state.tasks.get(session.task)?.spec.can.prompt === true;
    if (!takesMessage(session, prompts, message.steer)) continue;
    const { id, text, steer } = message;
    const begun = { ...fromDaemon(at, messageSent, 'working', 'was given a message'), confidence: 'likely' } as const;
    return {
      ok: true,
      events: [
        { type: 'message.sent', session: session.id, message: id },
        ...(prompts && session.state !== 'working' ? [move(session, 'working', begun)] : []),
      ],
      effects: [
        { type: 'message/type', session: session.id, incarnation: session.incarnation, message: id, text, steer },
      ],
    };
  }
  return null;
}

function takesMessage(session: Session, prompts: boolean, steer: boolean): boolean {
  if (session.process === null || session.held || session.stopping !== null) return false;
  if (!prompts) return session.state !== 'blocked' && session.state !== 'unknown';
  if (session.state === 'ready' || session.state === 'review') return true;
  return steer && session.state === 'working';
}

function deepen(state: FleetState, at: number): Decision | null {
  for (const session of state.sessions.values()) {
    if (session.state === 'working' && !session.deep && at - session.stateSince >= deepAfterMs) {
      return events({ type: 'session.deepened', session: session.id, deep: true });
    }
  }
  return null;
}

function killOverdue(state: FleetState, at: number): Decision | null {
  for (const session of state.sessions.values()) {
    if (
      session.stopping === null ||
      session.stopping.killed ||
      at < session.stopping.killAt ||
      session.process === null
    )
      continue;
    return {
      ok: true,
      events: [{ type: 'session.killed', session: session.id }],
      effects: [signal(session, 'SIGKILL')],
    };
  }
  return null;
}
