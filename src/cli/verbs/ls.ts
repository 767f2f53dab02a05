import { refuse } from '../../base/index.ts';
import { type FleetLists, plainLine } from '../../client/index.ts';
import { exitCodes, type SessionsDocument, stateShapes } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { listLines } from '../format/list-table.ts';
import { recoveryLines } from '../format/recovery-lines.ts';
import { defineVerb } from '../verb.ts';

export interface ListOptions {
  state?: string;
  repo?: string;
  watch?: boolean;
}

export const verb = defineVerb<ListOptions>({
  shape: (command) =>
    command
      .option('--state <states>', 'only these, with commas')
      .option('--repo <repo>', 'only of this repository')
      .option('--watch', 'stay and follow'),
  async run(call, args, options) {
    if (args.length > 0) return refuse('request/invalid', 'ls takes no arguments', 'concert show <id>');
    const unknown = options.state?.split(',').find((state) => !Object.hasOwn(stateShapes, state));
    if (unknown !== undefined)
      return refuse('request/invalid', `"${plainLine(unknown, 40)}" is no state`, 'concert ls --help');
    if (options.watch === true) {
      const { watchList } = await import('../watch-list.ts');
      return await watchList(call, options);
    }
    const lists = await call.fleet();
    if (!lists.ok) return lists;
    const shown = filtered(lists.value, options);
    call.answer(sessionsDocument(shown), () => [...listed(call, shown), ...hiddenLines(lists.value, shown)]);
    return exitCodes.ok;
  },
});

export function sessionsDocument({ sessions, queued }: FleetLists): SessionsDocument {
  return { schema: 'concert/sessions@1', items: sessions, queued };
}

export function filtered(lists: FleetLists, { state, repo }: ListOptions): FleetLists {
  const states = state === undefined ? null : new Set(state.split(','));
  const isRepo = (project: string) => repo === undefined || project === repo;
  return {
    host: lists.host,
    sessions: lists.sessions.filter(
      (session) =>
        isRepo(session.project) &&
        (states === null || states.has(session.state) || (states.has('deep') && session.deep)),
    ),
    queued: lists.queued.filter(({ project }) => isRepo(project) && (states === null || states.has('queued'))),
  };
}

/** The list, and below it what a restart could not keep, for as long as nobody has dealt with it. */
export function listed(call: Call, lists: FleetLists): string[] {
  const lines = listLines(lists, call.look, call.clock.now());
  const stillLost = new Set(lists.sessions.filter(({ state }) => state === 'lost').map(({ id }) => id));
  const recovery = lists.host?.recovery;
  const lost = recovery?.lost.filter(({ session }) => stillLost.has(session)) ?? [];
  if (recovery === undefined || recovery === null || lost.length === 0) return lines;
  const names = new Map(lists.sessions.map(({ id, name }) => [id, name]));
  return [
    ...lines,
    'Since the daemon restarted:',
    ...recoveryLines({ ...recovery, lost }, (id) => names.get(id) ?? id),
  ];
}

function hiddenLines(all: FleetLists, shown: FleetLists): string[] {
  const hidden = all.sessions.length + all.queued.length - shown.sessions.length - shown.queued.length;
  return hidden === 0 ? [] : [`${hidden} hidden by --state or --repo`];
}
