import { plainLine } from '../../client/index.ts';
import type { RecoveryDocument } from '../../protocol/index.ts';

const causes: Readonly<Record<string, string>> = {
  'holder-gone': 'the process that held its terminal is gone',
  reboot: 'the machine was restarted',
  'unknown-channel': 'its holder no longer knows it',
};

/** What the last start of the daemon found, said honestly; empty when there was nothing to find. */
export function recoveryLines(recovery: RecoveryDocument | null, nameOf: (session: string) => string): string[] {
  if (recovery === null) return [];
  const { adopted, ended, lost, relaunched, strangers } = recovery;
  const names = (ids: readonly string[]) => ids.map((id) => plainLine(nameOf(id), 60)).join(', ');
  const lines: string[] = [];
  if (adopted.length > 0) lines.push(`Kept running: ${names(adopted)}`);
  if (relaunched.length > 0) lines.push(`Launched again after an interrupted start: ${names(relaunched)}`);
  if (ended.length > 0) lines.push(`Ended while no daemon was looking: ${names(ended)}`);
  for (const { session, cause, canResume, wasCut } of lost) {
    const name = plainLine(nameOf(session), 60);
    const cut = wasCut ? 'its turn was cut' : 'no turn was cut';
    const next = canResume ? `can resume: concert resume ${session}` : 'cannot resume; its log is kept';
    lines.push(`Lost: ${name} (${causes[cause] ?? plainLine(cause, 60)}; ${cut}; ${next})`);
  }
  if (strangers.length > 0)
    lines.push(`Left alone: ${strangers.length} processes that belong to no session of this home`);
  return lines;
}
