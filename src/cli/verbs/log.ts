import { eventSentence, isAutomatic } from '../format/event-line.ts';
import { printEvents } from '../read-events.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb<{ auto?: boolean; follow?: boolean }>({
  shape: (command) =>
    command
      .argument('[id]', 'only of this session')
      .option('--auto', 'only what happened by itself')
      .option('--follow', 'go on with what happens'),
  run: (call, [ref], { auto, follow }) =>
    printEvents(
      call,
      { since: 0, follow: follow === true, ref, isWanted: (event) => auto !== true || isAutomatic(event) },
      eventSentence,
    ),
});
