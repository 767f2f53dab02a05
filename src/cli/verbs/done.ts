import { actOnSessions, type BulkOptions, shapeBulk } from '../act-on-sessions.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb<BulkOptions>({
  shape: shapeBulk,
  run: (call, refs, options) =>
    actOnSessions(call, refs, options, {
      past: 'settled',
      applies: ({ state }) => state === 'review',
      act: ({ id }) => call.api.settle(id),
    }),
});
