import { refuse } from '../../base/index.ts';
import { plainLine } from '../../client/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import { callerEnvironment } from '../caller-environment.ts';
import { listLines } from '../format/list-table.ts';
import { sentence } from '../outcome.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb({
  shape: (command) => command.argument('[action]', 'start or stop', 'start'),
  async run(call, [action = 'start']) {
    if (action !== 'start' && action !== 'stop')
      return refuse('request/invalid', 'Say start or stop', 'concert demo --help');
    const answer = await call.api.demo(action, callerEnvironment(call.invocation.env));
    if (!answer.ok) return answer;
    const lists = action === 'start' && !call.flags.json ? await call.fleet() : null;
    const shown = lists?.ok === true ? listLines(lists.value, call.look, call.clock.now()) : [];
    call.answer(answer.value, ({ message }) => [sentence(plainLine(message, 300)), ...shown]);
    return exitCodes.ok;
  },
});
