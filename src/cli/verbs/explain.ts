import { exitCodes } from '../../protocol/index.ts';
import { explainLines } from '../format/explain-lines.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb({
  shape: (command) => command.argument('<id>'),
  async run(call, [ref = '']) {
    const session = await call.session(ref);
    if (!session.ok) return session;
    const explained = await call.api.explain(session.value.id);
    if (!explained.ok) return explained;
    call.answer(explained.value, (document) => explainLines(document, call.look, call.clock.now()));
    return exitCodes.ok;
  },
});
