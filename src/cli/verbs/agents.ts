import { plainLine } from '../../client/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb({
  shape() {},
  async run(call) {
    const agents = await call.api.agents();
    if (!agents.ok) return agents;
    call.answer(agents.value, ({ items }) =>
      items.map(({ id, title, installed, version, note, simulated }) => {
        const found = installed ? (version === null ? 'here' : plainLine(version, 30)) : 'not installed';
        const notes = [simulated && 'simulated: no model is called', note !== null && plainLine(note, 200)].filter(
          (text) => text !== false,
        );
        return `${id.padEnd(10)}  ${title.padEnd(20)}  ${found.padEnd(14)}  ${notes.join('; ')}`.trimEnd();
      }),
    );
    return exitCodes.ok;
  },
});
