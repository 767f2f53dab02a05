import { ok, type Result } from '../base/index.ts';
import { FleetView } from '../client/index.ts';
import type { ErrorCode } from '../protocol/index.ts';
import { bringBack } from './bring-back.ts';
import type { Call } from './call.ts';
import { realChance } from './clock.ts';

/** A live view that outlives the daemon: one that dies meanwhile is brought back. The caller disposes. */
export async function openView(
  call: Call,
  tell: (line: string) => void = (line) => call.tell(line),
): Promise<Result<FleetView, ErrorCode>> {
  const { transport, clock } = call;
  const view = await FleetView.open({ transport, clock, random: realChance });
  if (!view.ok) return view;
  const daemon = bringBack(call, tell);
  view.value.onConnection((isConnected) => (isConnected ? daemon.back() : daemon.away()));
  return ok(view.value);
}
