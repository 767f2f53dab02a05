import { refuse } from '../../base/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import { actOnSessions, type BulkOptions, shapeBulk } from '../act-on-sessions.ts';
import { askYes } from '../ask-yes.ts';
import { defineVerb } from '../verb.ts';

interface Options extends BulkOptions {
  force?: boolean;
}

/** Without `--force` the daemon refuses what would lose work, and says what that is. */
export const verb = defineVerb<Options>({
  shape(command) {
    shapeBulk(command);
    command.option('--force', 'also what is dirty or unmerged; unmerged commits are kept under a ref');
  },
  async run(call, refs, options) {
    const isWide = options.all === true || options.repo !== undefined || options.force === true;
    if (isWide && !call.flags.yes) {
      const what =
        refs.length > 0
          ? refs.join(', ')
          : options.repo === undefined
            ? 'all sessions'
            : `all sessions of ${options.repo}`;
      if (!call.canAsk) return refuse('request/invalid', `Removing ${what} needs a yes`, 'Say --yes');
      if (!(await askYes(call, `Remove ${what}${options.force === true ? ' even where work is not merged' : ''}?`))) {
        call.tell('Nothing was removed');
        return exitCodes.ok;
      }
    }
    return await actOnSessions(call, refs, options, {
      past: 'removed',
      applies: () => true,
      act: ({ id }) => call.api.remove(id, options.force === true),
      actOnQueued: (task) => call.api.removeTask(task),
      cutsTurns: true,
    });
  },
});
