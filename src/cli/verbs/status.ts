import { plainLine } from '../../client/index.ts';
import type { StatusDocument } from '../../protocol/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { localTime } from '../format/durations.ts';
import { recoveryLines } from '../format/recovery-lines.ts';
import { summaryLine } from '../format/summary-line.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb({
  shape() {},
  async run(call) {
    const status = await call.api.status();
    if (!status.ok) return status;
    const lines = call.flags.json ? [] : await statusLines(call, status.value);
    call.answer(status.value, () => lines);
    return exitCodes.ok;
  },
});

/** The daemon, the fleet in one line, and what its last start found. */
export async function statusLines(call: Call, { daemon, recovery }: StatusDocument): Promise<string[]> {
  const now = call.clock.now();
  const lists = await call.fleet();
  const names = new Map(lists.ok ? lists.value.sessions.map(({ id, name }) => [id, name]) : []);
  const found = recoveryLines(recovery, (id) => names.get(id) ?? id);
  return [
    `Concertmaster ${plainLine(daemon.version, 40)} is running since ${localTime(daemon.startedAt, now)} (pid ${daemon.pid}, home ${plainLine(daemon.home, 200)})`,
    ...(daemon.readOnly === null
      ? []
      : [`Read-only: ${plainLine(daemon.readOnly, 300)}. Attaching works, running sessions go on.`]),
    ...(lists.ok ? [summaryLine(lists.value, now)] : []),
    ...(found.length === 0 ? [] : ['When it started:', ...found.map((line) => `  ${line}`)]),
  ];
}
