import { exitCodes, type SessionState } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { callerEnvironment } from '../caller-environment.ts';
import { defineVerb } from '../verb.ts';
import { waitForStates } from '../wait-for-state.ts';
import { listed, sessionsDocument } from './ls.ts';

/** The demo takes about this long until every session shows what it does. */
const settleMsMax = 10_000;
/** Any state but the very first. */
const begun: ReadonlySet<SessionState> = new Set([
  'working',
  'blocked',
  'failed',
  'review',
  'ready',
  'parked',
  'unknown',
]);

/** From nothing to a running fleet: what `npm start` runs. With a terminal it stays and follows. */
export const verb = defineVerb({
  shape() {},
  async run(call) {
    const before = await call.fleet();
    if (!before.ok) return before;
    if (before.value.sessions.length + before.value.queued.length === 0) {
      call.tell('Nothing runs yet: starting simulated sessions in a throwaway repository. No model is called.');
      const started = await call.api.demo('start', callerEnvironment(call.invocation.env));
      if (!started.ok) return started;
    }
    if (call.invocation.stdout.isTTY === true && call.invocation.stdin.isTTY === true) {
      const { watchList } = await import('../watch-list.ts');
      return await watchList(call, {});
    }
    await untilBegun(call);
    const lists = await call.fleet();
    if (!lists.ok) return lists;
    call.answer(sessionsDocument(lists.value), () => listed(call, lists.value));
    call.tell('Sessions go on. Follow them: concert ls --watch. Remove the demo: concert demo stop');
    return exitCodes.ok;
  },
});

async function untilBegun(call: Call): Promise<void> {
  const lists = await call.fleet();
  const refs = lists.ok ? lists.value.sessions.map(({ id }) => id) : [];
  if (refs.length > 0) await waitForStates(call, { refs, states: begun, timeoutMs: settleMsMax });
}
