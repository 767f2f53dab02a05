import { accessSync, constants, existsSync } from 'node:fs';
import { refuse } from '../../base/index.ts';
import { plainLine } from '../../client/index.ts';
import { type DoctorDocument, type DoneDocument, exitCodes } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { readConfig } from '../config-file.ts';
import { downMarker } from '../down-marker.ts';
import { shapeOf } from '../look.ts';
import { defineVerb } from '../verb.ts';

type Check = DoctorDocument['checks'][number];

export const verb = defineVerb<{ repair?: boolean }>({
  shape: (command) =>
    command.option('--repair', 'mend a damaged journal, keeping a copy of it; the daemon must be down'),
  async run(call, _args, { repair }) {
    if (repair === true) return await repairJournal(call);
    const asked = await call.api.doctor();
    if (!asked.ok && asked.code !== 'daemon/not-running') return asked;
    const document = asked.ok ? asked.value : examineFromOutside(call);
    call.answer(document, ({ checks }) => checks.flatMap((check) => checkLines(check, call)));
    return document.ok ? exitCodes.ok : exitCodes.failed;
  },
});

async function repairJournal(call: Call) {
  const status = await call.api.status();
  if (status.ok) {
    return refuse(
      'daemon/already-running',
      'The journal cannot be mended under a running daemon; nothing was changed',
      'concert down && concert doctor --repair',
    );
  }
  const mended = await call.invocation.other.repair();
  if (!mended.ok) return mended;
  const document: DoneDocument = { schema: 'concert/done@1', session: null, message: mended.value.join('. ') };
  call.answer(document, () => mended.value);
  return exitCodes.ok;
}

/** What can be told without a daemon. */
function examineFromOutside({ home, invocation }: Call): DoctorDocument {
  const config = readConfig(home.configFile, invocation.env);
  const checks: Check[] = [
    {
      name: 'daemon',
      ok: false,
      message: existsSync(downMarker(home)) ? 'It was stopped with concert down' : 'It does not answer',
      hint: 'concert up',
    },
    folderCheck('state folder', home.state),
    folderCheck('socket folder', home.run),
    config.ok
      ? { name: 'settings', ok: true, message: `${home.configFile} is usable`, hint: null }
      : { name: 'settings', ok: false, message: config.message, hint: config.hint ?? null },
  ];
  return { schema: 'concert/doctor@1', ok: false, checks };
}

function folderCheck(name: string, folder: string): Check {
  try {
    accessSync(folder, constants.W_OK);
    return { name, ok: true, message: `${folder} is writable`, hint: null };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { name, ok: true, message: `${folder} is made at the first start`, hint: null };
    return { name, ok: false, message: `${folder} cannot be written (${code})`, hint: 'Make it writable for yourself' };
  }
}

function checkLines({ name, ok, message, hint }: Check, { look }: Call): string[] {
  const line = `${shapeOf(ok ? 'done' : 'failed', look)} ${plainLine(name, 40)}: ${plainLine(message, 400)}`;
  return hint === null || ok ? [line] : [line, `    ${plainLine(hint, 200)}`];
}
