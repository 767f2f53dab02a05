import type { Entry } from './conversation.ts';
import type { Activity, Dialog, Facts, Plan } from './stage.ts';
import { cellsOf, clipped, wrapped } from './text-cells.ts';

/** Everything the screen shows. Text in it is safe to show. */
export interface View {
  name: string;
  entries: readonly Entry[];
  activity: Activity;
  plan: Plan | null;
  facts: Facts;
  queue: readonly string[];
  dialog: { dialog: Dialog; chosen: number } | null;
  /** What is typed, before and behind the cursor. */
  input: { before: string; after: string };
  /** Rows scrolled back. */
  scrolledBack: number;
  /** Ctrl+C was pressed once. */
  isQuitting: boolean;
  /** ms since the epoch. */
  now: number;
}

interface Frame {
  /** One string a row, each at most `columns` cells and complete in itself. */
  rows: readonly string[];
  /** Where the typing cursor stands, from 0; null hides it. */
  cursor: { row: number; column: number } | null;
}

/** From this width on, plan and facts get a column of their own. */
const sideFromColumns = 110;
const sideColumns = 36;
const typedRowsMax = 4;
/** Longer typed text is shown as a count. */
const typedLengthMax = 2000;
const promptRowsMax = 6;

const plain = '';
const bold = '1';
const faint = '2';
const green = '32';
const red = '31';
const yellow = '33';
const blue = '34';
const magenta = '35';

type Row = readonly Span[];
type Span = readonly [text: string, style: string];

/**
 * Draws the view. From the top: what this is and that it is simulated; the conversation, newest at the bottom; what goes
 * on now; the input or a dialog; the keys. On a small screen everything but the first of these gives way.
 */
export function drawFrame(view: View, columns: number, rows: number): Frame {
  const foot = view.dialog === null ? inputBox(view, columns) : dialogBox(view.dialog, columns);
  const below: Row[] = [activityRow(view, columns), ...foot.rows, keysRow(view, columns)];
  const above: Row[] = [headerRow(view, columns)];
  if (rows >= 12) above.push([['─'.repeat(columns), faint]]);
  const bodyRows = Math.max(0, rows - above.length - below.length);
  const body = bodyOf(view, columns, bodyRows);
  const all = [...above, ...body, ...below];
  const lost = Math.max(0, all.length - rows);
  // A screen too low for all keeps the header and the bottom of the rest.
  const shown = lost === 0 ? all : [...all.slice(0, 1), ...all.slice(1 + lost)];
  const cursorRow = above.length + body.length + 1 + (foot.cursor?.row ?? 0) - lost;
  return {
    rows: shown.slice(0, rows).map((row) => painted(row, columns)),
    cursor: foot.cursor === null || cursorRow < 1 ? null : { row: cursorRow, column: foot.cursor.column },
  };
}

function headerRow(view: View, columns: number): Row {
  const { glyph, word, color } = shapeOf(view.activity);
  const label: Row = [
    [columns >= 60 ? '╱╱╱ simulated ╱╱╱' : 'simulated', yellow],
    [columns >= 60 ? ' ' : '', plain],
  ];
  const left: Row = [
    [` ${glyph} `, color],
    [view.name, bold],
    [`  ${word}`, color],
  ];
  return between(left, label, columns);
}

function shapeOf(activity: Activity): { glyph: string; word: string; color: string } {
  switch (activity.kind) {
    case 'ready':
      return { glyph: '○', word: 'ready', color: plain };
    case 'working':
      return { glyph: '●', word: 'working', color: green };
    case 'quiet':
      return { glyph: '?', word: 'not reporting', color: plain };
    case 'parked':
      return { glyph: '◔', word: 'parked', color: magenta };
    case 'asking':
      return { glyph: '◆', word: 'asks you', color: yellow };
    case 'review':
      return { glyph: '■', word: 'to review', color: blue };
    case 'failed':
      return { glyph: '✕', word: 'failed', color: red };
  }
}

function bodyOf(view: View, columns: number, rows: number): Row[] {
  if (columns < sideFromColumns) return conversationRows(view, columns, rows);
  const side = sideRows(view);
  const main = columns - sideColumns - 3;
  return conversationRows(view, main, rows).map((row, index) => [
    ...padded(row, main),
    [' │ ', faint],
    ...(side[index] ?? []),
  ]);
}

/** The newest rows of the conversation that fit, filled up with empty ones below. */
function conversationRows(view: View, columns: number, rows: number): Row[] {
  const wanted = rows + view.scrolledBack;
  if (view.entries.length === 0) return filled(welcomeRows(view, columns).slice(0, rows), rows);
  const newestFirst: Row[][] = [];
  let count = 0;
  for (let at = view.entries.length - 1; at >= 0 && count < wanted; at--) {
    const entry = view.entries[at];
    if (entry === undefined) break;
    const isJoined = entry.kind === 'tool' && view.entries[at - 1]?.kind === 'tool';
    const drawn = [...(isJoined ? [] : [[]]), ...entryRows(entry, columns, view.now)];
    newestFirst.push(drawn);
    count += drawn.length;
  }
  const all = newestFirst.reverse().flat();
  const end = Math.max(Math.min(rows, all.length), all.length - view.scrolledBack);
  return filled(all.slice(Math.max(0, end - rows), end), rows);
}

function filled(shown: readonly Row[], rows: number): Row[] {
  return [...shown, ...Array.from({ length: rows - shown.length }, (): Row => [])];
}

/** Told wherever the demo is started outside its own repository. */
export const foreignFolder = 'This folder is not the demo repository, so the demo changes nothing in it.';

function welcomeRows({ facts }: View, columns: number): Row[] {
  const text = (line: string, style: string) => wrapped(line, columns - 5).map((part): Row => [[`   ${part}`, style]]);
  return [
    [],
    ...text('A simulated agent. It calls no model.', bold),
    ...text(
      facts.isDemoRepository ? 'What it does here is real: it edits files, runs tests and commits.' : foreignFolder,
      plain,
    ),
    [],
    ...text('Type any task and press Enter.', faint),
  ];
}

function entryRows(entry: Entry, columns: number, now: number): Row[] {
  switch (entry.kind) {
    case 'you':
      return promptRows(entry.text, columns);
    case 'say':
      return wrapped(entry.text, Math.min(columns - 5, 96)).map((line) => [[`   ${line}`, plain]]);
    case 'note':
      return wrapped(entry.text, columns - 5).map((line) => [[`   ${line}`, faint]]);
    case 'end':
      return [
        [
          [`   ── ${entry.text} `, faint],
          ['─'.repeat(Math.max(0, columns - cellsOf(entry.text) - 8)), faint],
        ],
      ];
    case 'tool': {
      const { glyph, color } = toolShape(entry.outcome, now);
      const left: Row = [
        [` ${glyph} `, color],
        [entry.verb.padEnd(7), faint],
        [entry.subject, plain],
      ];
      const lines = entry.lines.map((line): Row => [[`     ${line}`, lineStyle(line)]]);
      return [between(left, [[`${entry.result} `, entry.outcome === 'failed' ? red : faint]], columns), ...lines];
    }
  }
}

function promptRows(text: string, columns: number): Row[] {
  const lines = wrapped(text.slice(0, typedLengthMax), columns - 5);
  const shown = lines.slice(0, promptRowsMax);
  const hidden = lines.length - shown.length;
  const rows = shown.map(
    (line, index): Row => [
      [index === 0 ? ' › ' : '   ', blue],
      [line, bold],
    ],
  );
  if (hidden > 0 || text.length > typedLengthMax)
    rows.push([[`   … ${text.length.toLocaleString('en')} characters in all`, faint]]);
  return rows;
}

function toolShape(outcome: (Entry & { kind: 'tool' })['outcome'], now: number): { glyph: string; color: string } {
  switch (outcome) {
    case 'running':
      return { glyph: spinner(now), color: green };
    case 'ok':
      return { glyph: '✓', color: green };
    case 'failed':
      return { glyph: '✕', color: red };
    case 'cut':
      return { glyph: '‖', color: yellow };
  }
}

function lineStyle(line: string): string {
  if (line.startsWith('+')) return green;
  return line.startsWith('-') || line.startsWith('✕') ? red : faint;
}

function activityRow(view: View, columns: number): Row {
  const { activity, plan } = view;
  const right: Row = plan === null || columns >= sideFromColumns || columns < 50 ? [] : planBar(plan);
  switch (activity.kind) {
    case 'ready':
    case 'asking':
      return between([], right, columns);
    case 'working':
    case 'quiet': {
      const label: Row = [
        [` ${spinner(view.now)} `, green],
        [activity.label, plain],
        [`  ${duration(view.now - activity.since)}`, faint],
      ];
      return between(label, right, columns);
    }
    case 'parked': {
      const left: Row = [
        [' ◔ ', magenta],
        [`Waits ${activity.until}`, plain],
        [`  wakes by itself in ${duration(activity.wakesAt - view.now)}`, faint],
      ];
      return between(left, right, columns);
    }
    case 'review':
      return between(
        [
          [' ■ ', blue],
          [activity.text, plain],
        ],
        right,
        columns,
      );
    case 'failed':
      return between(
        [
          [' ✕ ', red],
          [activity.text, red],
        ],
        right,
        columns,
      );
  }
}

function planBar({ items, done }: Plan): Row {
  const width = 10;
  const filled = items.length === 0 ? 0 : Math.round((done / items.length) * width);
  return [
    [`${done}/${items.length} `, plain],
    ['━'.repeat(filled), green],
    [`${'─'.repeat(width - filled)} `, faint],
  ];
}

function sideRows({ plan, facts, activity, queue }: View): Row[] {
  const rows: Row[] = [];
  if (plan !== null) {
    const isOpen = activity.kind !== 'review' && activity.kind !== 'ready' && activity.kind !== 'failed';
    rows.push([], between([['Plan', bold]], [[`${plan.done}/${plan.items.length} `, faint]], sideColumns));
    for (const [index, item] of plan.items.entries()) {
      const isNow = index === plan.done && isOpen;
      const mark: Span = index < plan.done ? ['✓ ', green] : isNow ? ['● ', green] : ['○ ', faint];
      const [first = '', ...more] = wrapped(item, sideColumns - 3);
      const style = index < plan.done ? faint : isNow ? bold : plain;
      rows.push([mark, [first, style]], ...more.map((line): Row => [[`  ${line}`, style]]));
    }
  }
  if (facts.changes !== null || facts.testsPassed > 0) {
    rows.push([], [['This turn', bold]]);
    if (facts.changes !== null) rows.push([[changesText(facts.changes), plain]]);
    if (facts.testsPassed > 0) rows.push([[`${facts.testsPassed} tests pass`, plain]]);
  }
  if (facts.branch !== null) rows.push([], [['Branch', bold]], [[clipped(facts.branch, sideColumns - 1), plain]]);
  if (queue.length > 0) rows.push([], [['Queued for the end of the turn', bold]]);
  for (const prompt of queue) rows.push([[`› ${clipped(prompt, sideColumns - 4)}`, plain]]);
  return rows;
}

export function changesText({ files, added, removed }: NonNullable<Facts['changes']>): string {
  return `+${added} −${removed} in ${files} ${files === 1 ? 'file' : 'files'}`;
}

interface Foot {
  rows: Row[];
  /** From the first row of the foot. */
  cursor: { row: number; column: number } | null;
}

function inputBox(view: View, columns: number): Foot {
  const inner = Math.max(1, columns - 6);
  const { before, after } = typed(view.input);
  const linesBefore = wrapped(before, inner);
  const isEmpty = before === '' && after === '';
  const lines = isEmpty ? [''] : wrapped(before + after, inner);
  const cursorLine = Math.min(linesBefore.length, lines.length) - 1;
  const first = Math.max(0, Math.min(cursorLine, lines.length - 1) - typedRowsMax + 1);
  const shown = lines.slice(first, first + typedRowsMax);
  const rows = shown.map((line, index): Row => {
    const text: Span = isEmpty ? [placeholder(view.activity), faint] : [line, plain];
    return boxed([[index === 0 ? '› ' : '  ', blue], text], columns, faint);
  });
  const column = 4 + cellsOf(linesBefore.at(-1) ?? '');
  return {
    rows: [edge('╭', '╮', [], columns, faint), ...rows, edge('╰', '╯', [], columns, faint)],
    cursor: { row: 1 + cursorLine - first, column: Math.min(column, columns - 1) },
  };
}

/** Long pasted text is not drawn, only counted. */
function typed({ before, after }: View['input']): View['input'] {
  const length = before.length + after.length;
  if (length <= typedLengthMax) return { before, after };
  return { before: `[${length.toLocaleString('en')} characters pasted]`, after: '' };
}

function placeholder(activity: Activity): string {
  switch (activity.kind) {
    case 'working':
    case 'quiet':
    case 'parked':
      return 'Type a message for the end of this turn';
    case 'failed':
      return 'Type retry, or what to do instead';
    case 'review':
      return 'Type what to change, or a new task';
    default:
      return 'Type a task';
  }
}

function dialogBox({ dialog, chosen }: NonNullable<View['dialog']>, columns: number): Foot {
  const inner = columns - 6;
  const rows: Row[] = [edge('╭', '╮', [[` ◆ ${dialog.title} `, `${bold};${yellow}`]], columns, yellow)];
  const line = (row: Row) => rows.push(boxed(row, columns, yellow));
  if (dialog.command !== '') {
    line([]);
    for (const part of wrapped(dialog.command, inner)) line([[`  ${part}`, bold]]);
    line([]);
  }
  for (const part of wrapped(dialog.text, inner)) line([[part, plain]]);
  line([]);
  for (const [index, option] of dialog.options.entries()) {
    const isChosen = index === chosen;
    const letter = dialog.kind === 'permission' ? ['y', 'n'][index] : undefined;
    line([
      [isChosen ? '▸ ' : '  ', yellow],
      [`${index + 1}  ${option}`, isChosen ? bold : plain],
      [letter === undefined ? '' : `   ${letter}`, faint],
    ]);
  }
  rows.push(edge('╰', '╯', [], columns, yellow));
  return { rows, cursor: null };
}

function keysRow(view: View, columns: number): Row {
  const keys = view.isQuitting ? 'Ctrl+C again ends the session' : keysOf(view);
  const right =
    columns >= 100 ? 'no model is called, nothing leaves this machine ' : columns >= 72 ? 'no model is called ' : '';
  return between([[`  ${keys}`, view.isQuitting ? yellow : faint]], [[right, faint]], columns);
}

function keysOf({ dialog, activity }: View): string {
  if (dialog !== null) {
    const count = dialog.dialog.options.length;
    return `1-${count} or Enter answers  ↑↓ choose  Esc ${dialog.dialog.kind === 'permission' ? 'says no' : 'interrupts'}`;
  }
  const isBusy = activity.kind === 'working' || activity.kind === 'quiet' || activity.kind === 'parked';
  return isBusy ? 'Esc interrupts  Enter queues' : 'Enter sends  Ctrl+C twice quits';
}

function boxed(row: Row, columns: number, style: string): Row {
  return [['│ ', style], ...padded(row, columns - 4), [' │', style]];
}

function edge(left: string, right: string, title: Row, columns: number, style: string): Row {
  const rest = Math.max(0, columns - 3 - title.reduce((sum, [text]) => sum + cellsOf(text), 0));
  return [[`${left}─`, style], ...title, [`${'─'.repeat(rest)}${right}`, style]];
}

/** `left` gives way to `right`. */
function between(left: Row, right: Row, columns: number): Row {
  const taken = right.reduce((sum, [text]) => sum + cellsOf(text), 0);
  return [...padded(left, Math.max(0, columns - taken)), ...right];
}

function padded(row: Row, columns: number): Row {
  const fitting: Span[] = [];
  let left = columns;
  for (const [text, style] of row) {
    const part = clipped(text, left);
    left -= cellsOf(part);
    fitting.push([part, style]);
  }
  return left > 0 ? [...fitting, [' '.repeat(left), plain]] : fitting;
}

function painted(row: Row, columns: number): string {
  return padded(row, columns)
    .map(([text, style]) => (style === plain || text === '' ? text : `\x1b[${style}m${text}\x1b[0m`))
    .join('')
    .trimEnd();
}

const spinnerSteps = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'];
/** How long one step of the spinner stands. */
export const spinnerStepMs = 120;

function spinner(now: number): string {
  return spinnerSteps[Math.floor(now / spinnerStepMs) % spinnerSteps.length] ?? '';
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
}
