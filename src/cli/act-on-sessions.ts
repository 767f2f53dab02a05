import type { Command } from 'commander';
import { ok, type Result, refuse } from '../base/index.ts';
import { type FleetLists, plainLine, resolveRef, type Target, withoutTricks } from '../client/index.ts';
import {
  type DoneDocument,
  type ErrorCode,
  exitCodes,
  type SessionDocument,
  type SessionState,
} from '../protocol/index.ts';
import type { Call } from './call.ts';
import { within } from './clock.ts';
import { type Outcome, sentence } from './outcome.ts';

/** A bulk verb answers by then; what was not done until then may still be. */
const bulkMsMax = 5_000;
/** In one of these a turn is under way, as recovery counts it too. */
const turnStates: ReadonlySet<SessionState> = new Set(['starting', 'working', 'blocked']);
/** Requests under way at once: enough to be quick, few enough to leave the daemon free. */
const atOnceMax = 8;

export interface BulkOptions {
  all?: boolean;
  repo?: string;
}

export interface BulkAct {
  /** Past tense for the summary, such as `stopped`. */
  past: string;
  /** Which sessions `--all` and `--repo` mean. */
  applies(session: SessionDocument): boolean;
  act(session: SessionDocument): Promise<Result<DoneDocument, ErrorCode>>;
  /** For tasks that still wait; without it they are refused. */
  actOnQueued?(task: string): Promise<Result<DoneDocument, ErrorCode>>;
  /** It ends a turn that is under way; those are named. */
  cutsTurns?: boolean;
}

export function shapeBulk(command: Command): void {
  command
    .argument('[id...]', 'tab numbers, names or beginnings of ids')
    .option('--all', 'all it applies to')
    .option('--repo <repo>', 'all of one repository');
}

/** Does it to all that were named, together, and says of each what happened. */
export async function actOnSessions(
  call: Call,
  refs: readonly string[],
  options: BulkOptions,
  bulk: BulkAct,
): Promise<Outcome> {
  const lists = await call.fleet();
  if (!lists.ok) return lists;
  const targets = pick(lists.value, refs, options, bulk);
  if (!targets.ok) return targets;
  if (targets.value.length === 0) {
    call.tell(`Nothing to do: no session can be ${bulk.past}`);
    return exitCodes.ok;
  }
  const endsAt = call.clock.monotonic() + bulkMsMax;
  const answers = await inTurns(targets.value, (target) => actUntil(endsAt, call, target, bulk));
  const [only] = answers;
  if (answers.length === 1 && only !== undefined && !only.ok) return only;

  let exit: number = exitCodes.ok;
  for (const answer of answers) {
    if (answer.ok) {
      if (call.flags.json) call.print(withoutTricks(JSON.stringify(answer.value)));
      else if (answers.length <= 10) call.print(sentence(plainLine(answer.value.message, 300)));
    } else {
      call.refuse(answer);
      exit = exitCodes.failed;
    }
  }
  const went = targets.value.filter((_, index) => answers[index]?.ok);
  if (answers.length > 10) call.tell(`${went.length} of ${answers.length} ${bulk.past}`);
  if (bulk.cutsTurns === true) tellCuts(call, went);
  return exit;
}

function pick(
  lists: FleetLists,
  refs: readonly string[],
  options: BulkOptions,
  bulk: BulkAct,
): Result<Target[], ErrorCode> {
  const { all, repo } = options;
  if (refs.length > 0 && (all === true || repo !== undefined))
    return refuse('request/invalid', 'Name sessions, or say --all or --repo, not both');
  if (refs.length === 0 && all !== true && repo === undefined)
    return refuse('request/invalid', 'No session was named', 'Name sessions, or say --all');
  if (refs.length === 0) {
    const meant = lists.sessions.filter(
      (session) => (repo === undefined || session.project === repo) && bulk.applies(session),
    );
    return ok(meant.map((session) => ({ kind: 'session', session })));
  }
  const targets: Target[] = [];
  for (const ref of new Set(refs)) {
    const target = resolveRef(lists, ref);
    if (!target.ok) return target;
    targets.push(target.value);
  }
  return ok(targets);
}

async function actUntil(
  endsAt: number,
  call: Call,
  target: Target,
  bulk: BulkAct,
): Promise<Result<DoneDocument, ErrorCode>> {
  if (target.kind === 'queued' && bulk.actOnQueued === undefined) {
    return refuse(
      'session/not-found',
      `Task ${target.queued.task} has no session yet; it waits in the queue`,
      'concert rm',
    );
  }
  const work =
    target.kind === 'session'
      ? bulk.act(target.session)
      : (bulk.actOnQueued ?? (() => Promise.reject()))(target.queued.task);
  const answer = await within(call.clock, endsAt - call.clock.monotonic(), work);
  if (answer !== undefined) return answer;
  const name = target.kind === 'session' ? target.session.name : target.queued.task;
  return refuse(
    'daemon/overloaded',
    `No answer for "${plainLine(name, 60)}" within ${bulkMsMax / 1000} s; it may still be done`,
    'concert ls',
  );
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as T);
  };
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, worker));
  return results;
}

function tellCuts(call: Call, targets: readonly Target[]): void {
  const cut = targets.flatMap((target) =>
    target.kind === 'session' && turnStates.has(target.session.state) ? [target.session.name] : [],
  );
  if (cut.length > 0) call.tell(`Turns that were cut: ${cut.map((name) => plainLine(name, 60)).join(', ')}`);
}
