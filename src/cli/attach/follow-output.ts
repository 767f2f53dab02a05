import { plainLine } from '../../client/index.ts';
import { exitCodes } from '../../protocol/index.ts';
import { bringBack } from '../bring-back.ts';
import type { Call } from '../call.ts';
import { realChance } from '../clock.ts';
import type { Outcome } from '../outcome.ts';
import { AttachedSession } from './attached-session.ts';

/** Hands over every byte a session prints from an offset on, over restarts of the daemon, until it ends. */
export async function followOutput(
  call: Call,
  session: string,
  from: number,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<Outcome> {
  const { transport, clock } = call;
  using daemon = bringBack(call, () => {});
  let written = Promise.resolve();
  using attached = new AttachedSession(
    { transport, clock, random: realChance },
    {
      session,
      device: `log ${process.pid}`,
      mode: 'view',
      take: false,
      history: 0,
      size: () => ({ columns: 80, rows: 24 }),
      from,
      sink: {
        paint() {},
        write(bytes, taken) {
          written = written.then(() => write(bytes)).then(taken);
        },
      },
      onMode: () => daemon.back(),
      onSize() {},
      onShown() {},
      onAway: () => daemon.away(),
    },
  );
  const end = await attached.end;
  await written;
  if (end.type === 'refused') return end.refusal.code === 'session/not-live' ? exitCodes.ok : end.refusal;
  call.tell(`It ended: ${plainLine(end.why, 200)} (${end.state})`);
  return exitCodes.ok;
}
