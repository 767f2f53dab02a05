import { refuse } from '../../base/index.ts';
import { resolveSession } from '../../client/index.ts';
import { defineVerb } from '../verb.ts';
import { wholeNumber } from '../whole-number.ts';

export const verb = defineVerb({
  shape: (command) =>
    command.argument('<n>', 'a number from 1 to 9, or clear').argument('<id>', 'the session, or the number to clear'),
  async run(call, [first = '', second = '']) {
    const isClear = first === 'clear';
    const tab = wholeNumber(isClear ? second : first, 'A tab', [1, 9]);
    if (!tab.ok) return tab;
    const lists = await call.fleet();
    if (!lists.ok) return lists;
    if (isClear) {
      const bound = lists.value.sessions.find((session) => session.tab === tab.value);
      if (bound === undefined) return refuse('session/not-found', `Nothing is bound to tab ${tab.value}`);
      return call.report(await call.api.bindTab(bound.id, null));
    }
    const session = resolveSession(lists.value, second);
    if (!session.ok) return session;
    return call.report(await call.api.bindTab(session.value.id, tab.value));
  },
});
