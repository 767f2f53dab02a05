import type { FleetView } from '../client/index.ts';
import { fitText, plainLine, withoutTricks } from '../client/index.ts';
import { exitCodes, type SessionDocument } from '../protocol/index.ts';
import type { Call } from './call.ts';
import { ellipsisOf, type Look, lookOf, shapeOf } from './look.ts';
import { openView } from './open-view.ts';
import type { Outcome } from './outcome.ts';
import { filtered, type ListOptions, listed, sessionsDocument } from './verbs/ls.ts';

/** Changes are gathered this long before the list is drawn anew. */
const gatherMs = 100;
/** Ages in the list move on without any change. */
const refreshMs = 1_000;

const enterScreen = '\u001b[?1049h\u001b[?25l';
const leaveScreen = '\u001b[?25h\u001b[?1049l';
const clearBelow = '\u001b[0m\u001b[J';

/** `ls --watch`: the list in place on a terminal, else a line for every change. Ends with Ctrl+C; sessions go on. */
export async function watchList(call: Call, options: ListOptions): Promise<Outcome> {
  const opened = await openView(call);
  if (!opened.ok) return opened;
  using open = opened.value;
  const { view } = open;
  const isPlace = call.invocation.stdout.isTTY === true && !call.flags.json && call.invocation.env['TERM'] !== 'dumb';
  using _drawing = isPlace ? drawInPlace(call, view, options) : printChanges(call, view, options);
  await call.invocation.interrupted();
  if (isPlace) call.invocation.stdout.write(leaveScreen);
  call.tell('Sessions go on');
  return exitCodes.ok;
}

function drawInPlace(call: Call, view: FleetView, options: ListOptions): Disposable {
  const { stdout } = call.invocation;
  const stack = new DisposableStack();
  let wait: Disposable | null = null;
  let isAway = false;
  const draw = () => {
    const look = lookOf(call.invocation, call.flags.color);
    const drawn = Object.assign(Object.create(call) as Call, { look });
    const away = isAway ? ['The daemon does not answer; this is the last known list. Sessions go on.'] : [];
    const lines = [...away, ...listed(drawn, filtered(view.lists(), options)), 'Ctrl+C leaves; sessions go on'];
    const rows = lines.slice(0, Math.max(1, (stdout.rows ?? 24) - 1));
    stdout.write(`\u001b[H${rows.map((line) => `${fitted(line, look)}\u001b[K\r\n`).join('')}${clearBelow}`);
    schedule(refreshMs);
  };
  const schedule = (ms: number) => {
    wait?.[Symbol.dispose]();
    wait = call.clock.after(ms, draw);
  };
  stdout.write(enterScreen);
  stack.use(view.onChange(() => schedule(gatherMs)));
  stack.use(
    view.onConnection((isConnected) => {
      isAway = !isConnected;
      schedule(gatherMs);
    }),
  );
  stack.defer(() => wait?.[Symbol.dispose]());
  const onResize = () => schedule(0);
  stdout.on('resize', onResize);
  stack.defer(() => stdout.off('resize', onResize));
  draw();
  return stack;
}

/** Rows of the table fit already, and only they may be coloured. */
function fitted(line: string, look: Look): string {
  return line.includes('\u001b') ? line : fitText(line, look.columns ?? 80, ellipsisOf(look));
}

/** For a pipe: the list once, then what changed, or with `--json` the whole document each time. */
function printChanges(call: Call, view: FleetView, options: ListOptions): Disposable {
  const print = () => {
    const lists = filtered(view.lists(), options);
    if (call.flags.json) call.print(withoutTricks(JSON.stringify(sessionsDocument(lists))));
    else call.print(...listed(call, lists));
  };
  const states = new Map(view.lists().sessions.map(({ id, state }) => [id, state]));
  print();
  return view.onChange(({ upserted }) => {
    if (call.flags.json) return print();
    for (const keyed of upserted) {
      if (keyed.kind !== 'session' || states.get(keyed.key) === keyed.document.state) continue;
      states.set(keyed.key, keyed.document.state);
      if (filtered({ host: null, queued: [], sessions: [keyed.document] }, options).sessions.length > 0)
        call.print(changeLine(call, keyed.document));
    }
  });
}

function changeLine({ look }: Call, { name, state, why, simulated }: SessionDocument): string {
  const label = simulated ? '  simulated' : '';
  return `${shapeOf(state, look)} ${plainLine(name, 60)} is ${state}: ${plainLine(why, 300)}${label}`;
}
