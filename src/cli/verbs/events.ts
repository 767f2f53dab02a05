import { eventLine } from '../format/event-line.ts';
import { printEvents } from '../read-events.ts';
import { defineVerb } from '../verb.ts';
import { wholeNumber } from '../whole-number.ts';

export const verb = defineVerb<{ follow?: boolean; since: string; session?: string }>({
  shape: (command) =>
    command
      .option('--follow', 'go on with what happens')
      .option('--since <n>', 'only after this number', '0')
      .option('--session <id>', 'only of this session'),
  async run(call, _args, { follow, since, session }) {
    const from = wholeNumber(since, '--since', [0, Number.MAX_SAFE_INTEGER]);
    if (!from.ok) return from;
    return await printEvents(call, { since: from.value, follow: follow === true, ref: session }, eventLine);
  },
});
