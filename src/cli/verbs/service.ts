import { refuse } from '../../base/index.ts';
import { type DoneDocument, exitCodes } from '../../protocol/index.ts';
import { defineVerb } from '../verb.ts';

const actions = ['install', 'remove', 'status'] as const;

export const verb = defineVerb({
  shape: (command) => command.argument('<action>', 'install, remove or status'),
  async run(call, [wanted = '']) {
    const action = actions.find((known) => known === wanted);
    if (action === undefined)
      return refuse('request/invalid', 'Say install, remove or status', 'concert service --help');
    const done = await call.invocation.other.service(action);
    if (!done.ok) return done;
    const document: DoneDocument = { schema: 'concert/done@1', session: null, message: done.value.join('. ') };
    call.answer(document, () => done.value);
    return exitCodes.ok;
  },
});
