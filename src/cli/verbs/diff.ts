import { padText, plainLine, plainText, textWidth } from '../../client/index.ts';
import type { DiffDocument } from '../../protocol/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import type { Look } from '../look.ts';
import { defineVerb } from '../verb.ts';

export const verb = defineVerb<{ stat?: boolean }>({
  shape: (command) => command.argument('<id>').option('--stat', 'files and numbers only'),
  async run(call, [ref = ''], { stat }) {
    const session = await call.session(ref);
    if (!session.ok) return session;
    const diff = await call.api.diff(session.value.id, stat !== true);
    if (!diff.ok) return diff;
    const { files, patch, truncated } = diff.value;
    if (files.length === 0) call.tell('No diff yet: the session has not changed a file');
    if (call.flags.json || stat === true || patch === null) call.answer(diff.value, statLines);
    else call.invocation.stdout.write(patchText(patch, call.look));
    if (truncated) call.tell('The diff is longer than what is kept for showing; look into the worktree for the rest');
    return exitCodes.ok;
  },
});

/** Exact for a program that reads it; safe for a terminal. */
function patchText(patch: string, look: Look): string {
  if (look.columns === null) return patch;
  const safe = plainText(patch);
  if (!look.hasColor) return safe;
  return safe.replace(/^(\+(?!\+\+ )|-(?!-- )|@@).*$/gm, (line) => {
    const color = line.startsWith('+') ? 32 : line.startsWith('-') ? 31 : 36;
    return `\u001b[${color}m${line}\u001b[39m`;
  });
}

export function statLines({ files, added, removed }: DiffDocument): string[] {
  if (files.length === 0) return [];
  const names = files.map(({ path, from }) => plainLine(from === null ? path : `${from} => ${path}`, 120));
  const width = Math.max(...names.map(textWidth));
  const rows = files.map((file, index) => {
    const numbers = file.added === null || file.removed === null ? 'binary' : `+${file.added} -${file.removed}`;
    return `  ${padText(names[index] ?? '', width)}  ${file.change.padEnd(9)}  ${numbers}`;
  });
  return [...rows, `${files.length} ${files.length === 1 ? 'file' : 'files'}, +${added} -${removed}`];
}
