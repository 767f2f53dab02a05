import { plainLine } from '../../client/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import { defineVerb } from '../verb.ts';

/** For completion: quick, silent, and it never starts anything. */
export const verb = defineVerb({
  shape() {},
  async run(call) {
    const lists = await call.fleet();
    if (!lists.ok) return exitCodes.ok;
    for (const { tab, name, id } of lists.value.sessions) {
      const isWord = /^[\w.-]+$/.test(name);
      call.print(plainLine(isWord ? name : id, 80));
      if (tab !== null) call.print(String(tab));
    }
    return exitCodes.ok;
  },
});
