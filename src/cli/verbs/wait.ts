import { refuse } from '../../base/index.ts';
import { plainLine, withoutTricks } from '../../client/index.ts';
import { type SessionState, type ShowDocument, stateShapes } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { parseDuration } from '../format/durations.ts';
import { shapeOf } from '../look.ts';
import { defineVerb } from '../verb.ts';
import { type Waited, waitForStates } from '../wait-for-state.ts';

/** The turn is over, one way or the other. */
export const restStates: ReadonlySet<SessionState> = new Set(['review', 'ready', 'done']);

export const verb = defineVerb<{ for?: string; timeout?: string }>({
  shape: (command) =>
    command
      .argument('<id...>')
      .option('--for <states>', `states to wait for, with commas (${[...restStates].join(',')})`)
      .option('--timeout <duration>', 'give up after 90s, 20m, 1h'),
  async run(call, refs, options) {
    const states = options.for === undefined ? restStates : new Set(options.for.split(',').filter(isState));
    const unknown = options.for?.split(',').find((state) => !isState(state));
    if (unknown !== undefined)
      return refuse('request/invalid', `"${plainLine(unknown, 40)}" is no state of a session`, 'concert wait --help');
    const timeoutMs = options.timeout === undefined ? null : parseDuration(options.timeout);
    if (options.timeout !== undefined && timeoutMs === null)
      return refuse('request/invalid', `"${plainLine(options.timeout, 40)}" is no duration`, 'Write 90s, 20m or 1h');
    const waited = await waitForStates(call, { refs, states, timeoutMs });
    if (!waited.ok) return waited;
    for (const one of waited.value) reportWaited(call, one);
    return Math.max(...waited.value.map(({ exit }) => exit));
  },
});

export function reportWaited(call: Call, { session }: Waited): void {
  const document: ShowDocument = { schema: 'concert/session@1', session, screen: null };
  if (call.flags.json) call.print(withoutTricks(JSON.stringify(document)));
  else
    call.print(
      `${shapeOf(session.state, call.look)} ${plainLine(session.name, 60)} is ${session.state}: ${plainLine(session.why, 300)}`,
    );
}

function isState(text: string): text is SessionState {
  return Object.hasOwn(stateShapes, text) && text !== 'queued' && text !== 'deep';
}
