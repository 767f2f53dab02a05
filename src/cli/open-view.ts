import { ok, type Result } from '../base/index.ts';
import { FleetView } from '../client/index.ts';
import type { ErrorCode } from '../protocol/index.ts';
import { bringBack } from './bring-back.ts';
import type { Call } from './call.ts';
import { realChance } from './clock.ts';

export interface OpenView extends Disposable {
  view: FleetView;
}

/** A live view that outlives the daemon: one that dies meanwhile is brought back, until the caller disposes. */
export async function openView(
  call: Call,
  { tell = (line: string) => call.tell(line), transport = call.transport } = {},
): Promise<Result<OpenView, ErrorCode>> {
  const opened = await FleetView.open({ transport, clock: call.clock, random: realChance });
  if (!opened.ok) return opened;
  const view = opened.value;
  const daemon = bringBack(call, tell);
  view.onConnection((isConnected) => (isConnected ? daemon.back() : daemon.away()));
  return ok({
    view,
    [Symbol.dispose]() {
      daemon[Symbol.dispose]();
      view[Symbol.dispose]();
    },
  });
}
