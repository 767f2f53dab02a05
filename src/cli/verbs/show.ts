import { plainLine } from '../../client/index.ts';
import type { ShowDocument } from '../../protocol/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { localTime, longDuration } from '../format/durations.ts';
import { ellipsisOf, shapeOf } from '../look.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb<{ screen?: boolean }>({
  shape: (command) => command.argument('<id>').option('--screen', 'its present screen as text'),
  async run(call, [ref = ''], { screen }) {
    const session = await call.session(ref);
    if (!session.ok) return session;
    const shown = await call.api.show(session.value.id, screen === true);
    if (!shown.ok) return shown;
    call.answer(shown.value, (document) => (screen === true ? screenLines(document) : showLines(document, call)));
    return exitCodes.ok;
  },
});

function screenLines({ screen }: ShowDocument): string[] {
  if (screen === null) return ['No screen: its terminal is gone. concert logs has what it printed.'];
  return screen.map((row) => plainRow(row));
}

/** A row keeps its columns, unlike a line that is only read. */
function plainRow(row: string): string {
  return row.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, ' ').trimEnd();
}

export function showLines({ session }: ShowDocument, { look, clock }: Pick<Call, 'look' | 'clock'>): string[] {
  const now = clock.now();
  const shape = session.deep && session.state === 'working' ? 'deep' : session.state;
  const guess = session.confidence === 'guess' ? '~' : '';
  const age = longDuration(now - Date.parse(session.stateSince));
  const { holder, process } = session.liveness;
  const facts: [string, string | false][] = [
    ['why', session.why],
    ['task', `${session.title} (${session.task})`],
    ['agent', `${session.agent}${session.simulated ? ', simulated: no model is called' : ''}`],
    ['repo', session.project],
    ['branch', session.branch ?? 'none: it works in place'],
    ['folder', session.worktree ?? 'not made yet'],
    ['state from', `${session.stateSource} (${session.confidence}), since ${localTime(session.stateSince, now)}`],
    ['process', session.pid === null ? `${process}${exitOf(session.exitCode)}` : `${process}, pid ${session.pid}`],
    ['holder', session.holderPid === null ? holder : `${holder}, pid ${session.holderPid}`],
    ['memory', session.footprintMiB !== null && `${Math.round(session.footprintMiB)} MiB`],
    ['driver', session.driver ?? 'nobody'],
    ['messages', session.messages > 0 && `${session.messages} wait for the end of the turn`],
    ['paused', session.paused && 'messages are held until concert resume'],
    ['terminal', session.terminalPaused ?? false],
    ['resume', session.liveness.process === 'gone' && (session.canResume ? 'possible' : 'not possible')],
    ...session.notes.map((note): [string, string] => ['note', note]),
  ];
  const tab = session.tab === null ? '' : `${session.tab} `;
  return [
    `${tab}${shapeOf(shape, look)} ${plainLine(session.name, 60)}  ${guess}${shape} for ${age}  ${session.id}`,
    ...facts.flatMap(([name, value]) =>
      value === false ? [] : [`  ${name.padEnd(10)}  ${plainLine(value, 400).replaceAll('…', ellipsisOf(look))}`],
    ),
  ];
}

function exitOf(code: number | null): string {
  return code === null ? '' : `, exit code ${code}`;
}
