import { defineVerb } from '../verb.ts';

export const verb = defineVerb({
  shape: (command) => command.argument('<id>').argument('<name>'),
  async run(call, [ref = '', name = '']) {
    const session = await call.session(ref);
    if (!session.ok) return session;
    const answer = await call.api.rename(session.value.id, name);
    return call.report(answer);
  },
});
