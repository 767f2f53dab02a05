import { readlinkSync } from 'node:fs';
import { ok, type Result, refuse } from '../../base/index.ts';
import { type FleetLists, plainLine, resolveRef } from '../../client/index.ts';
import type { ErrorCode, SessionDocument } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import type { Outcome } from '../outcome.ts';
import { AttachedTerminal } from './attached-terminal.ts';
import { readPrefix } from './read-prefix.ts';

export interface AttachOptions {
  view?: boolean;
  take?: boolean;
  /** Stay on this tab, whatever is bound to it. */
  follow?: boolean;
  /** Scrolled-off rows wanted above the first screen. */
  history?: number;
}

/** Gives this terminal to a session until it ends or the person leaves it. One that is still to start is waited for. */
export async function attach(call: Call, ref: string, options: AttachOptions): Promise<Outcome> {
  const { stdin, stdout } = call.invocation;
  const isInteractive = stdin.isTTY === true && stdout.isTTY === true;
  if (!isInteractive && options.view !== true) {
    return refuse(
      'request/invalid',
      'Attaching needs a terminal: there is none to type in or none to show it in',
      'concert attach <id> --view, or concert logs <id> --follow',
    );
  }
  if (options.follow === true && !/^[1-9]$/.test(ref))
    return refuse('request/invalid', 'Only a tab number can be followed', 'concert attach 3 --follow');
  const finding = options.follow === true ? whenBound(call, Number(ref)) : findSession(call, ref);
  const [session, prefix] = await Promise.all([finding, readPrefix(call)]);
  if (!session.ok) return session;
  const terminal = new AttachedTerminal(call, {
    prefix,
    device: deviceName(),
    mode: options.view === true ? 'view' : 'drive',
    take: options.take === true,
    history: options.history ?? 0,
    followedTab: options.follow === true ? Number(ref) : null,
    isInteractive,
  });
  return await terminal.run(session.value);
}

/** Resolves once there is a terminal to attach to, or it is known that there will be none. */
async function findSession(call: Call, ref: string): Promise<Result<SessionDocument, ErrorCode>> {
  const lists = await call.fleet();
  if (!lists.ok) return lists;
  const target = resolveRef(lists.value, ref);
  if (!target.ok) return target;
  if (target.value.kind === 'session') {
    const { session } = target.value;
    return isComing(session) ? await whenStarted(call, session.task) : ok(session);
  }
  const { task, needs } = target.value.queued;
  call.tell(`Waiting: it needs ${plainLine(needs, 120)}. Ctrl+C leaves it in the queue`);
  return await whenStarted(call, task);
}

function isComing({ state, pid }: SessionDocument): boolean {
  return state === 'starting' && pid === null;
}

function whenStarted(call: Call, task: string): Promise<Result<SessionDocument, ErrorCode>> {
  return when(call, ({ sessions, queued }) => {
    const session = sessions.find((one) => one.task === task);
    if (session !== undefined) return isComing(session) ? null : ok(session);
    if (queued.some((one) => one.task === task)) return null;
    return refuse('task/not-found', `Task ${task} was taken off the queue`);
  });
}

async function whenBound(call: Call, tab: number): Promise<Result<SessionDocument, ErrorCode>> {
  let isTold = false;
  return await when(call, ({ sessions }) => {
    const session = sessions.find((one) => one.tab === tab);
    if (session !== undefined) return isComing(session) ? null : ok(session);
    if (!isTold) call.tell(`Waiting for what comes to tab ${tab}; Ctrl+C leaves`);
    isTold = true;
    return null;
  });
}

/** The first answer that is not null, looked for now and at every change of the fleet. */
async function when(
  call: Call,
  look: (lists: FleetLists) => Result<SessionDocument, ErrorCode> | null,
): Promise<Result<SessionDocument, ErrorCode>> {
  const { openView } = await import('../open-view.ts');
  const opened = await openView(call);
  if (!opened.ok) return opened;
  using open = opened.value;
  const { view } = open;
  return await new Promise((resolve) => {
    const lookAgain = () => {
      const answer = look(view.lists());
      if (answer !== null) resolve(answer);
    };
    view.onChange(lookAgain);
    lookAgain();
  });
}

/** Who drives, as others read it: the terminal's own name where the system tells it. */
function deviceName(): string {
  try {
    const path = readlinkSync('/proc/self/fd/0');
    if (path.startsWith('/dev/')) return `terminal ${plainLine(path.slice('/dev/'.length), 50)}`;
  } catch {
    // No such place on this system.
  }
  return `terminal ${process.pid}`;
}
