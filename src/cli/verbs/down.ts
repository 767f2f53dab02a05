import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { refuse } from '../../base/index.ts';
import { type DoneDocument, exitCodes } from '../../protocol/index.ts';
import type { Call } from '../call.ts';
import { within } from '../clock.ts';
import { downMarker } from '../down-marker.ts';
import { defineVerb } from '../verb.ts';
import { whenFolder } from '../when-folder.ts';

/** An orderly stop writes a checkpoint of every screen first. */
const stopMsMax = 15_000;

export const verb = defineVerb({
  shape() {},
  async run(call) {
    const status = await call.api.status();
    if (!status.ok && status.code !== 'daemon/not-running') return status;
    markDown(call);
    if (!status.ok) {
      answer(call, 'The daemon was not running; it stays down until concert up');
      return exitCodes.ok;
    }
    const edge = call.transport.openSocket('/v1/events');
    const isGone = new Promise<void>((resolve) => edge.onClose(resolve)).then(() => whenHomeIsFree(call));
    const stopped = await call.api.stop();
    // An answer that was cut off by the end it announces is as good as a whole one.
    if (!stopped.ok && stopped.code !== 'daemon/not-running') {
      rmSync(downMarker(call.home), { force: true });
      edge.close();
      return stopped;
    }
    const ended = await within(call.clock, stopMsMax, isGone);
    edge.close();
    if (ended !== true)
      return refuse(
        'daemon/overloaded',
        `The daemon did not end within ${stopMsMax / 1000} s; sessions go on`,
        'concert status',
      );
    answer(call, 'The daemon stopped; sessions go on');
    return exitCodes.ok;
  },
});

function answer(call: Call, message: string): void {
  const document: DoneDocument = { schema: 'concert/done@1', session: null, message };
  call.answer(document, () => [message]);
}

/** Before the daemon ends, so that no other call brings it back in between. */
function markDown({ home }: Call): void {
  try {
    mkdirSync(home.run, { recursive: true, mode: 0o700 });
    writeFileSync(downMarker(home), '', { mode: 0o600 });
  } catch {
    // Where nothing can be written the daemon can still be stopped; the next call may start it again.
  }
}

/** The daemon gives its home back last of all; a new one may start from then on. */
async function whenHomeIsFree({ clock, home }: Call): Promise<boolean> {
  return await whenFolder({ clock, folder: home.run, ms: stopMsMax }, () => !existsSync(home.daemonFile));
}
