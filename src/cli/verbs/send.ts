import { text as readText } from 'node:stream/consumers';
import { refuse } from '../../base/index.ts';
import { actOnSessions } from '../act-on-sessions.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb<{ now?: boolean }>({
  shape: (command) =>
    command
      .argument('<id>')
      .argument('<text...>', 'further ids, and last the text; - reads it from standard input')
      .option('--now', 'at once, into the running turn'),
  async run(call, args, { now }) {
    const refs = args.slice(0, -1);
    const last = args.at(-1) ?? '';
    const text = last === '-' ? await readText(call.invocation.stdin) : last;
    if (text === '') return refuse('request/invalid', 'There is no text to send');
    return await actOnSessions(
      call,
      refs,
      {},
      {
        past: 'sent to',
        applies: () => true,
        act: ({ id }) => call.api.send(id, { text, now: now === true }),
      },
    );
  },
});
