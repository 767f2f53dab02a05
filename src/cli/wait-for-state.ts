import { type Result, refuse } from '../base/index.ts';
import { type FleetView, resolveRef, type Target } from '../client/index.ts';
import { type ErrorCode, exitCodes, type SessionDocument, type SessionState } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { longDuration } from './format/durations.ts';
import { openView } from './open-view.ts';

/** Someone must act before it goes on by itself. */
const stuckStates: ReadonlySet<SessionState> = new Set(['blocked', 'failed', 'review']);
/** It will not come to another state by itself. */
const overStates: ReadonlySet<SessionState> = new Set(['done', 'lost']);

export interface Waited {
  session: SessionDocument;
  /** `ok` in a state waited for, `needsYou` or `failed` in one that leads to none of them. */
  exit: number;
}

/** Waits until each of them is in one of the states, or cannot get there without a person. */
export async function waitForStates(
  call: Call,
  options: { refs: readonly string[]; states: ReadonlySet<SessionState>; timeoutMs: number | null },
): Promise<Result<Waited[], ErrorCode>> {
  const opened = await openView(call);
  if (!opened.ok) return opened;
  using open = opened.value;
  const { view } = open;
  const keys: string[] = [];
  for (const ref of options.refs) {
    const target = resolveRef(view.lists(), ref);
    if (!target.ok) return target;
    keys.push(keyOf(target.value));
  }
  return await new Promise((resolve) => {
    using stack = new DisposableStack();
    const look = () => {
      const waited = keys.map((key) => judge(view, key, options.states));
      if (waited.every((one) => one !== null)) finish({ ok: true, value: waited });
    };
    const finish = (result: Result<Waited[], ErrorCode>) => {
      watching.dispose();
      resolve(result);
    };
    stack.use(view.onChange(look));
    if (options.timeoutMs !== null) {
      stack.use(call.clock.after(options.timeoutMs, () => finish(timedOut(view, keys, options))));
    }
    const watching = stack.move();
    look();
  });
}

function keyOf(target: Target): string {
  return target.kind === 'session' ? target.session.id : target.queued.task;
}

/** Null while it may still get there. A queued task is named by its id until it has a session. */
function judge(view: FleetView, key: string, states: ReadonlySet<SessionState>): Waited | null {
  const session = view.session(key) ?? view.lists().sessions.find(({ task }) => task === key);
  if (session === undefined) return null;
  if (states.has(session.state)) return { session, exit: exitCodes.ok };
  if (stuckStates.has(session.state)) return { session, exit: exitCodes.needsYou };
  return overStates.has(session.state) ? { session, exit: exitCodes.failed } : null;
}

function timedOut(
  view: FleetView,
  keys: readonly string[],
  { states, timeoutMs }: { states: ReadonlySet<SessionState>; timeoutMs: number | null },
): Result<never, ErrorCode> {
  const late = keys.filter((key) => judge(view, key, states) === null);
  const names = late.map((key) => view.session(key)?.name ?? key).join(', ');
  const all = [...states].join(' or ');
  return refuse('wait/timeout', `Waited ${longDuration(timeoutMs ?? 0)}: ${names} did not become ${all}; it goes on`);
}
