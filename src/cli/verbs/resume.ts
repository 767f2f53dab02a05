import { actOnSessions, type BulkOptions, shapeBulk } from '../act-on-sessions.ts';
import { callerEnvironment } from '../caller-environment.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb<BulkOptions>({
  shape: shapeBulk,
  run: (call, refs, options) =>
    actOnSessions(call, refs, options, {
      past: 'resumed',
      applies: ({ paused, canResume }) => paused || canResume,
      act: ({ id }) => call.api.resume(id, callerEnvironment(call.invocation.env)),
    }),
});
