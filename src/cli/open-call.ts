import type { Home } from '../protocol/index.ts';
import { Call, type Flags } from './call.ts';
import { realClock } from './clock.ts';
import { createRevivingTransport, type DaemonNeed } from './ensure-daemon.ts';
import type { Invocation } from './invocation.ts';
import { lookOf } from './look.ts';

/** What a verb works with, from what was typed and where. */
export function openCall(
  invocation: Invocation,
  { flags, need, home }: { flags: Flags; need: DaemonNeed; home: Home },
): Call {
  const tell = (line: string) => {
    if (!flags.quiet) invocation.stderr.write(`${line}\n`);
  };
  const transport = createRevivingTransport(need, { invocation, home, clock: realClock, tell });
  return new Call(invocation, { flags, home, look: lookOf(invocation, flags.color), clock: realClock, transport });
}
