import { ok, type Result, refuse } from '../base/index.ts';
import type { QueuedDocument, SessionDocument } from '../protocol/index.ts';
import type { FleetLists } from './list-fleet.ts';
import { plainLine } from './plain-text.ts';

/** Shortest prefix of an id that names something. */
const prefixLengthMin = 2;
/** Candidates a refusal lists; the rest is a number. */
const candidatesShownMax = 5;

/** What a person may mean on the command line: a session, or a task that waits for its slot. */
export type Target = { kind: 'session'; session: SessionDocument } | { kind: 'queued'; queued: QueuedDocument };

type Lists = Pick<FleetLists, 'sessions' | 'queued'>;

/**
 * Finds what `ref` names: a tab number, an exact id or name (a task's id names its session), or the beginning of
 * exactly one id. The exact name wins over any prefix.
 */
export function resolveRef(
  { sessions, queued }: Lists,
  ref: string,
): Result<Target, 'session/not-found' | 'session/ambiguous'> {
  if (/^[1-9]$/.test(ref)) {
    const bound = sessions.find(({ tab }) => tab === Number(ref));
    return bound === undefined
      ? refuse('session/not-found', `Nothing is bound to tab ${ref}`, 'concert ls')
      : ok({ kind: 'session', session: bound });
  }
  const exact = unite(
    sessions.filter(({ id, name, task }) => id === ref || name === ref || task === ref),
    queued.filter(({ task, title }) => task === ref || title === ref),
  );
  const found = exact.length > 0 ? exact : byPrefix({ sessions, queued }, ref);
  const [only, another] = found;
  if (only === undefined) return refuse('session/not-found', `There is no session "${plainLine(ref, 60)}"`);
  if (another === undefined) return ok(only);
  return refuse('session/ambiguous', `"${plainLine(ref, 60)}" may be ${list(found)}`);
}

/** As `resolveRef`, for what needs a session: a task that still waits for its slot is refused. */
export function resolveSession(
  lists: Lists,
  ref: string,
): Result<SessionDocument, 'session/not-found' | 'session/ambiguous'> {
  const target = resolveRef(lists, ref);
  if (!target.ok) return target;
  if (target.value.kind === 'session') return ok(target.value.session);
  const { task, title, needs } = target.value.queued;
  return refuse(
    'session/not-found',
    `Task ${task} "${plainLine(title, 60)}" has no session yet: it waits for ${plainLine(needs, 80)}`,
    'concert ls',
  );
}

function byPrefix({ sessions, queued }: Lists, ref: string): Target[] {
  if (ref.length < prefixLengthMin) return [];
  return unite(
    sessions.filter(({ id, task }) => id.startsWith(ref) || task.startsWith(ref)),
    queued.filter(({ task }) => task.startsWith(ref)),
  );
}

function unite(sessions: SessionDocument[], queued: QueuedDocument[]): Target[] {
  return [
    ...sessions.map((session): Target => ({ kind: 'session', session })),
    ...queued.map((queued): Target => ({ kind: 'queued', queued })),
  ];
}

function list(targets: Target[]): string {
  const shown = targets.slice(0, candidatesShownMax).map(describe);
  const rest = targets.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} or ${rest} more` : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

function describe(target: Target): string {
  const [id, name] =
    target.kind === 'session' ? [target.session.id, target.session.name] : [target.queued.task, target.queued.title];
  return `${id} (${plainLine(name, 40)})`;
}
