import { type FleetLists, fitText, padText, plainLine, textWidth } from '../../client/index.ts';
import type { QueuedDocument, SessionDocument, SessionState, stateShapes } from '../../protocol/index.ts';
import { colored, ellipsisOf, type Look, shapeOf } from '../look.ts';
import { shortDuration } from './durations.ts';
import { summaryLine, waitsForYou } from './summary-line.ts';

/** Who must act comes first; within a kind whoever is in it longest. */
const order: readonly (SessionState | 'deep')[] = [
  'blocked',
  'failed',
  'review',
  'lost',
  'unknown',
  'deep',
  'working',
  'starting',
  'parked',
  'ready',
  'paused',
  'asleep',
  'done',
];
const widest = { session: 28, repo: 16 };
const narrowest = { session: 8, what: 12 };
const gap = '  ';
const tabWidth = 3;

interface Row {
  tab: string;
  shape: keyof typeof stateShapes;
  state: string;
  session: string;
  repo: string;
  since: string;
  what: string;
  /** Never cut off. */
  labels: string;
}

/** `concert ls`: the summary, one row a session and a queued task, and the next thing to do. No row is wider than the terminal. */
export function listLines(lists: FleetLists, look: Look, now: number): string[] {
  const sessions = [...lists.sessions].sort(byWhoMustAct);
  const rows = [...sessions.map((session) => sessionRow(session, now)), ...lists.queued.map(queuedRow)];
  const lines = [...readOnlyLines(lists), summaryLine(lists, now)];
  if (rows.length === 0) return [...lines, 'Next: concert run "<task>"   or   concert demo'];
  lines.push(...tableLines(rows, look));
  const first = sessions.find(waitsForYou);
  if (first !== undefined) lines.push(`Next: concert attach ${refOf(first)}   or   concert show ${refOf(first)}`);
  return lines;
}

/** What a person would type for this session. */
export function refOf({ tab, name, id }: SessionDocument): string {
  if (tab !== null) return String(tab);
  return /^[\w.-]+$/.test(name) ? name : id;
}

function readOnlyLines({ host }: FleetLists): string[] {
  if (host === null || host.readOnly === null) return [];
  return [`Read-only: ${plainLine(host.readOnly, 300)}. Attaching works, running sessions go on.`];
}

function byWhoMustAct(a: SessionDocument, b: SessionDocument): number {
  const rank = ({ state, deep }: SessionDocument) => order.indexOf(deep && state === 'working' ? 'deep' : state);
  return rank(a) - rank(b) || a.stateSince.localeCompare(b.stateSince) || a.id.localeCompare(b.id);
}

function sessionRow(session: SessionDocument, now: number): Row {
  const shape = session.deep && session.state === 'working' ? 'deep' : session.state;
  return {
    tab: session.tab === null ? '' : String(session.tab),
    shape,
    state: `${session.confidence === 'guess' ? '~' : ''}${shape}`,
    session: plainLine(session.name, 60),
    repo: plainLine(session.project, 60),
    since: shortDuration(now - Date.parse(session.stateSince)),
    what: plainLine(session.why, 400),
    labels: labelsOf(session),
  };
}

function labelsOf(session: SessionDocument): string {
  const { messages, paused, simulated, state } = session;
  const labels = [
    simulated && 'simulated',
    messages > 0 && `${messages} ${messages === 1 ? 'message' : 'messages'} queued`,
    paused && state !== 'paused' && 'paused',
  ];
  return labels.filter((label) => label !== false).join(', ');
}

function queuedRow(queued: QueuedDocument): Row {
  return {
    tab: '',
    shape: 'queued',
    state: 'queued',
    session: plainLine(queued.title, 60),
    repo: plainLine(queued.project, 60),
    since: '',
    what: `needs ${plainLine(queued.needs, 200)}`,
    labels: queued.task,
  };
}

function tableLines(rows: readonly Row[], look: Look): string[] {
  const widths = widthsFor(rows, look);
  const ellipsis = ellipsisOf(look);
  const cell = (text: string, width: number) => padText(text, width, 'end', ellipsis);
  const line = (row: Omit<Row, 'shape' | 'labels'>) => {
    const repo = widths.repo === 0 ? [] : [cell(row.repo, widths.repo)];
    const state = cell(row.state, widths.state);
    const cells = [
      cell(row.tab, tabWidth),
      state,
      cell(row.session, widths.session),
      ...repo,
      padText(row.since, 4, 'start'),
      row.what,
    ];
    const text = cells.join(gap).trimEnd();
    return look.columns === null ? text : fitText(text, look.columns, ellipsis);
  };
  const head = { tab: 'TAB', state: 'STATE', session: 'SESSION', repo: 'REPO', since: 'FOR', what: 'WHAT' };
  const stateAt = tabWidth + gap.length;
  return [
    line(head),
    ...rows.map((row) => {
      const state = `${shapeOf(row.shape, look)} ${row.state}`;
      const text = line({ ...row, state, what: whatCell(row, widths.what, ellipsis) });
      const end = stateAt + widths.state;
      return `${text.slice(0, stateAt)}${colored(text.slice(stateAt, end), row.shape, look)}${text.slice(end)}`;
    }),
  ];
}

/** The label stays whole whatever the room; the rest is cut. */
function whatCell({ what, labels }: Row, width: number | null, ellipsis: string): string {
  const label = labels === '' ? '' : `${gap}${labels}`;
  if (width === null) return `${what}${label}`;
  const room = width - textWidth(label);
  if (room < 4) return padText(labels === '' ? what : labels, width, 'end', ellipsis).trimEnd();
  return textWidth(what) <= room ? `${what}${label}` : `${padText(what, room, 'end', ellipsis)}${label}`;
}

/** Columns give way in this order: the session's name, the repository, and last what it does. */
function widthsFor(
  rows: readonly Row[],
  look: Look,
): { state: number; session: number; repo: number; what: number | null } {
  const longest = (cells: readonly string[], least: number, most: number) =>
    Math.min(most, Math.max(least, ...cells.map(textWidth)));
  const state = longest(
    rows.map((row) => `x ${row.state}`),
    9,
    11,
  );
  const session = longest(
    rows.map((row) => row.session),
    7,
    look.columns === null ? 60 : widest.session,
  );
  const repo = longest(
    rows.map((row) => row.repo),
    4,
    look.columns === null ? 60 : widest.repo,
  );
  if (look.columns === null) return { state, session, repo, what: null };

  const fixed = tabWidth + state + 4 + 3 * gap.length;
  const rest = (columns: number) => (look.columns ?? 0) - fixed - columns - gap.length;
  const withRepo = session + gap.length + repo;
  if (rest(withRepo) >= narrowest.what) return { state, session, repo, what: rest(withRepo) };
  const narrowSession = Math.max(narrowest.session, session - (narrowest.what - rest(session)));
  const fitted = Math.min(session, narrowSession);
  return { state, session: fitted, repo: 0, what: Math.max(0, rest(fitted)) };
}
