import { describe, expect, test } from 'vitest';
import { drawFrame, type View } from './frame.ts';
import { cellsOf, clipped, wrapped } from './text-cells.ts';

const view: View = {
  name: 'checkout-tax',
  entries: [
    { kind: 'you', text: 'Charge VAT\nand test it 日本語のテキスト 👍' },
    { kind: 'say', text: 'I look at the cart first. '.repeat(6) },
    { kind: 'tool', verb: 'Edit', subject: 'src/cart.js', outcome: 'ok', result: '+1 −1', lines: ['- a', '+ b'] },
    { kind: 'tool', verb: 'Test', subject: 'x'.repeat(300), outcome: 'running', result: '', lines: [] },
    { kind: 'note', text: 'Interrupted by you.' },
    { kind: 'end', text: '12 s, +1 −1 in 1 file' },
  ],
  activity: { kind: 'working', label: 'Testing', since: 0 },
  plan: { items: ['Read the cart', 'Change it and everything that depends on what it did before'], done: 1 },
  facts: {
    isDemoRepository: true,
    branch: 'concert/checkout-tax',
    changes: { files: 1, added: 1, removed: 1 },
    testsPassed: 4,
  },
  queue: ['then this'],
  dialog: null,
  input: { before: 'typed 日本', after: ' text' },
  scrolledBack: 0,
  isQuitting: false,
  now: 12_000,
};

const views: [string, View][] = [
  ['working', view],
  [
    'ready and empty',
    { ...view, entries: [], activity: { kind: 'ready' }, plan: null, input: { before: '', after: '' } },
  ],
  [
    'asking',
    {
      ...view,
      activity: { kind: 'asking' },
      dialog: {
        chosen: 1,
        dialog: { kind: 'permission', title: 'Asks', command: 'run '.repeat(60), text: 'why', options: ['Yes', 'No'] },
      },
    },
  ],
  ['parked', { ...view, activity: { kind: 'parked', until: 'until 10:40, when CI ends', wakesAt: 90_000 } }],
  ['failed', { ...view, activity: { kind: 'failed', text: 'emulator did not boot, 2 retries' } }],
  ['long input', { ...view, input: { before: 'word '.repeat(300), after: 'x'.repeat(100) } }],
  ['pasted book', { ...view, input: { before: 'x'.repeat(1_000_000), after: '' } }],
  ['scrolled back', { ...view, scrolledBack: 400 }],
];

/** Without the colours. */
function text(row: string): string {
  return row.replace(/\x1b\[[\d;]*m/g, '');
}

describe.each(views)('%s', (_, each) => {
  test.each([
    [80, 24],
    [120, 40],
    [200, 60],
    [110, 12],
    [40, 10],
    [20, 4],
    [12, 2],
    [10, 1],
  ])('fits %i columns and %i rows, and says that it is simulated', (columns, rows) => {
    const frame = drawFrame(each, columns, rows);
    expect(frame.rows).toHaveLength(rows);
    for (const row of frame.rows) expect(cellsOf(text(row)), row).toBeLessThanOrEqual(columns);
    expect(text(frame.rows[0] ?? '')).toContain('simulated');
    if (frame.cursor === null) return;
    expect(frame.cursor.row).toBeLessThan(rows);
    expect(frame.cursor.column).toBeLessThan(columns);
  });

  test.each([
    [1, 1],
    [3, 7],
  ])('survives %i columns and %i rows', (columns, rows) => {
    expect(drawFrame(each, columns, rows).rows).toHaveLength(rows);
  });
});

test('the cursor stands behind what is typed before it, wide characters counted twice', () => {
  const { cursor, rows } = drawFrame(view, 80, 24);
  expect(text(rows[cursor?.row ?? 0] ?? '')).toContain('› typed 日本 text');
  expect(cursor?.column).toBe(4 + 'typed '.length + 4);
});

test('counts cells as terminals do', () => {
  expect(['abc', 'é', 'e\u0301', '日本', '👍', '…━╱'].map(cellsOf)).toEqual([3, 1, 1, 4, 2, 3]);
  expect(clipped('日本語', 5)).toBe('日本…');
  expect(clipped('日本語', 4)).toBe('日…');
  expect(wrapped('one two\nthree 日本語日本語', 6)).toEqual(['one', 'two', 'three', '日本語', '日本語']);
});
