import { attach } from '../attach/attach.ts';
import { defineVerb } from '../verb.ts';
import { wholeNumber } from '../whole-number.ts';

export const verb = defineVerb<{ view?: boolean; take?: boolean; follow?: boolean; history: string }>({
  shape: (command) =>
    command
      .argument('<id>')
      .option('--view', 'look on; no key is sent')
      .option('--take', 'take the seat of whoever drives it')
      .option('--follow', 'stay on this tab, whatever is bound to it')
      .option('--history <rows>', 'rows above the screen to bring along, at most 1000', '0'),
  async run(call, [ref = ''], { history, ...options }) {
    const rows = wholeNumber(history, '--history', [0, 1000]);
    if (!rows.ok) return rows;
    return await attach(call, ref, { ...options, history: rows.value });
  },
});
