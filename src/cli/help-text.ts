import { exitCodes } from '../protocol/index.ts';
import { groups, verbs } from './verbs.ts';

const exitMeanings: Record<keyof typeof exitCodes, string> = {
  ok: 'ok',
  failed: 'failed',
  usage: 'wrong usage, or not built yet',
  notFound: 'not found',
  notRunning: 'daemon not running',
  needsYou: 'needs you (wait)',
  stale: 'stale or already answered',
  refused: 'refused',
  timeout: 'timeout',
  interrupted: 'interrupted',
};

/** `concert --help`: the verbs by group, what an id is, the options all take, the exit codes. */
export function helpText(): string {
  const shown = Object.values(verbs).filter(({ isHidden }) => isHidden !== true);
  const width = Math.max(...shown.map(({ usage }) => usage.length));
  const lines = ['concert: a fleet of coding agents, looked after', '', 'Usage: concert [verb] [options]', ''];
  for (const group of groups) {
    lines.push(group);
    for (const row of shown.filter((row) => row.group === group))
      lines.push(`  ${row.usage.padEnd(width)}  ${row.summary}`);
    lines.push('');
  }
  const codes = Object.entries(exitCodes).map(
    ([name, code]) => `${code} ${exitMeanings[name as keyof typeof exitCodes]}`,
  );
  lines.push(
    'An id is a tab number, a name, or the beginning of exactly one id. Without a verb: the list.',
    'Every verb: --json  -q  -v  --no-color  --yes  --help. Results on standard output, the rest on standard error.',
    `Exit: ${codes.join(', ')}.`,
    '',
  );
  return lines.join('\n');
}
