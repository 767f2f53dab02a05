import { resolve } from 'node:path';
import { refuse } from '../../base/index.ts';
import { plainLine, plainText } from '../../client/index.ts';
import { exitCodes, type TrustDocument } from '../../protocol/index.ts';
import { askYes } from '../ask-yes.ts';
import { defineVerb } from '../verb.ts';

/** A yes is bound to what was read: it names the hash, and the daemon refuses it when the content has changed since. */
export const verb = defineVerb<{ hash?: string }>({
  shape: (command) =>
    command.argument('[repo]', 'folder of the repository', '.').option('--hash <hash>', 'with --yes: what was read'),
  async run(call, [repo = '.'], { hash }) {
    const repository = resolve(call.invocation.cwd, repo);
    const { yes, json } = call.flags;
    if (yes && hash === undefined)
      return refuse(
        'request/invalid',
        'A yes must name what it is to',
        `concert trust ${plainLine(repo, 80)}   shows the hash`,
      );
    if (yes && hash !== undefined) {
      const confirmed = await call.api.trust(repository, hash);
      if (!confirmed.ok) return confirmed;
      call.answer(confirmed.value, trustLines);
      return exitCodes.ok;
    }
    const asked = await call.api.trust(repository, null);
    if (!asked.ok) return asked;
    const document = asked.value;
    if (json || document.trusted || document.summary.length === 0) {
      call.answer(document, trustLines);
      return exitCodes.ok;
    }
    call.print(...trustLines(document));
    if (!call.canAsk)
      return refuse(
        'project/untrusted',
        'Nobody is there to say yes; nothing was trusted',
        `concert trust ${plainLine(repo, 80)} --yes --hash ${document.hash}`,
      );
    if (!(await askYes(call, 'Allow this for new sessions of this repository?'))) {
      call.tell('Nothing was trusted; sessions start without it');
      return exitCodes.ok;
    }
    const confirmed = await call.api.trust(repository, document.hash);
    if (!confirmed.ok) return confirmed;
    call.print('Trusted, until the content changes');
    return exitCodes.ok;
  },
});

function trustLines({ repository, hash, trusted, summary }: TrustDocument): string[] {
  if (summary.length === 0) return [`${plainLine(repository, 200)} wants to run or copy nothing`];
  const state = trusted ? 'is trusted to' : 'is not trusted yet. It would';
  return [
    `${plainLine(repository, 200)} ${state}:`,
    ...summary.flatMap((entry) =>
      plainText(entry)
        .split('\n')
        .map((line) => `  ${line}`),
    ),
    `Hash: ${plainLine(hash, 140)}`,
  ];
}
