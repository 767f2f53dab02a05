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
    const end = whenGone(call);
    const stopped = await call.api.stop();
    if (!stopped.ok) {
      rmSync(downMarker(call.home), { force: true });
      return stopped;
    }
    if ((await within(call.clock, stopMsMax, end)) !== true)
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

/** When its edge is closed and it has given its home back. */
async function whenGone(call: Call): Promise<boolean> {
  await new Promise<void>((resolve) => call.transport.openSocket('/v1/events').onClose(resolve));
  return await whenFolder(
    { clock: call.clock, folder: call.home.run, ms: stopMsMax },
    () => !existsSync(call.home.daemonFile),
  );
}
