import { backoffMs, ok, type Result } from '../base/index.ts';
import { resolveSession, withoutTricks } from '../client/index.ts';
import { type ErrorCode, type EventDocument, exitCodes } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { realChance } from './clock.ts';
import type { Outcome } from './outcome.ts';

/** Events asked for at once. */
const pageSize = 1_000;
/** Live events kept while the earlier ones are still being read. */
const heldEventsMax = 100_000;
const retry = { firstMs: 100, maxMs: 3_000 };

type NameOf = (session: string | null) => string;
type Take = (event: EventDocument, nameOf: NameOf) => void;

export interface Wanted {
  /** Number of the last event already known. */
  since: number;
  follow: boolean;
  /** Only of this session. */
  ref: string | undefined;
}

/** Prints them as lines; with `--json` as one document, or as one a line while following. */
export async function printEvents(
  call: Call,
  wanted: Wanted & { isWanted?(event: EventDocument): boolean },
  line: (event: EventDocument, nameOf: NameOf) => string,
): Promise<Outcome> {
  const items: EventDocument[] = [];
  const ended = await readEvents(call, wanted, (event, nameOf) => {
    if (wanted.isWanted?.(event) === false) return;
    if (!call.flags.json) call.print(line(event, nameOf));
    else if (wanted.follow) call.print(withoutTricks(JSON.stringify(event)));
    else items.push(event);
  });
  if (!ended.ok) return ended;
  if (wanted.follow) return exitCodes.interrupted;
  if (call.flags.json) call.answer({ schema: 'concert/events@1', items }, () => []);
  return exitCodes.ok;
}

/**
 * Hands over every event after a number, in order and each once. Following, it goes on with those that happen, over
 * restarts of the daemon, until the person ends it; else it resolves after the newest.
 */
async function readEvents(call: Call, wanted: Wanted, take: Take): Promise<Result<null, ErrorCode>> {
  const lists = await call.fleet();
  if (!lists.ok) return lists;
  const session = wanted.ref === undefined ? null : resolveSession(lists.value, wanted.ref);
  if (session !== null && !session.ok) return session;

  const names = new Map(lists.value.sessions.map(({ id, name }) => [id, name]));
  let last = wanted.since;
  const give = (event: EventDocument) => {
    if (event.seq <= last) return;
    last = event.seq;
    learnName(names, event);
    if (session === null || event.session === session.value.id) {
      take(event, (id) => (id === null ? '-' : (names.get(id) ?? id)));
    }
  };
  const catchUp = () => readPages(call, last, give);
  return wanted.follow ? await follow(call, catchUp, give) : await catchUp();
}

/** Live events wait until the earlier ones have been read. A connection that ends is begun anew, from the last one given. */
async function follow(
  call: Call,
  catchUp: () => Promise<Result<null, ErrorCode>>,
  give: (event: EventDocument) => void,
): Promise<Result<null, ErrorCode>> {
  let isOver = false;
  const over = call.invocation.interrupted().then(() => {
    isOver = true;
  });
  for (let attempt = 0; !isOver; attempt++) {
    const held: EventDocument[] = [];
    let isCaughtUp = false;
    const socket = call.transport.openSocket('/v1/events');
    const closed = new Promise<void>((resolve) => socket.onClose(resolve));
    const opened = new Promise<'open'>((resolve) => socket.onOpen(() => resolve('open')));
    socket.onMessage((message) => {
      const event = JSON.parse(String(message)) as EventDocument;
      if (isCaughtUp) give(event);
      else if (held.length < heldEventsMax) held.push(event);
      else socket.close();
    });
    if ((await Promise.race([opened, closed, over])) === 'open' && (await catchUp()).ok) {
      attempt = 0;
      isCaughtUp = true;
      for (const event of held) give(event);
      await Promise.race([closed, over]);
    }
    socket.close();
    if (!isOver) await Promise.race([pause(call, attempt), over]);
  }
  return ok(null);
}

/** Waits a little longer each time, then makes sure that a daemon which died is there again. */
async function pause({ clock, api }: Call, attempt: number): Promise<void> {
  await new Promise<void>((resolve) => clock.after(backoffMs(retry, attempt, realChance.float()), resolve));
  await api.status();
}

async function readPages(
  call: Call,
  from: number,
  give: (event: EventDocument) => void,
): Promise<Result<null, ErrorCode>> {
  for (let since = from; ; ) {
    const page = await call.api.events({ since, limit: pageSize });
    if (!page.ok) return page;
    for (const event of page.value.items) give(event);
    since = page.value.items.at(-1)?.seq ?? since;
    if (page.value.items.length < pageSize) return ok(null);
  }
}

/** A session that is gone keeps the name it had in what is told of it. */
function learnName(names: Map<string, string>, { type, session, data }: EventDocument): void {
  const isNaming = type === 'session.created' || type === 'session.renamed';
  if (isNaming && session !== null && typeof data['name'] === 'string' && !names.has(session))
    names.set(session, data['name']);
}
