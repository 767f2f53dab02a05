import { expect, test } from 'vitest';
import { createScreen, restoreScreen } from './create-screen.ts';
import type { ScreenModel } from './screen-model.ts';

const silent = { event() {}, answer() {} };

function screenOf(text: string, columns = 20, rows = 4): ScreenModel {
  const screen = createScreen({ columns, rows, listeners: silent });
  const bytes = Buffer.from(text);
  screen.write(bytes, bytes.length);
  return screen;
}

test('the viewport as text', () => {
  using screen = screenOf('\x1b]2;name\x07one\r\n\x1b[31m漢字\x1b[m e\u0301  \x1b[10GX\x1b[?25l');
  expect(screen.text()).toEqual({
    offset: 46,
    columns: 20,
    rows: 4,
    lines: ['one', '漢字 e\u0301   X', '', ''],
    cursor: { column: 10, row: 1, isHidden: true },
    isAlternate: false,
    title: 'name',
  });
});

test('the alternate screen as text, the normal one by page', () => {
  using screen = screenOf('a\r\nb\x1b[?1049h\x1b[Hfull');
  expect(screen.text()).toMatchObject({ lines: ['full', '', '', ''], isAlternate: true });
  expect(screen.page(10)).toMatchObject({ first: 0, oldest: 0, end: 4, lines: ['a', 'b', '', ''] });
});

test('pages keep their row numbers while rows scroll by', () => {
  using screen = screenOf(Array.from({ length: 30 }, (_, i) => `row ${i}\r\n`).join(''));
  const page = screen.page(5, 20);
  expect(page).toMatchObject({
    first: 15,
    oldest: 0,
    end: 31,
    lines: ['row 15', 'row 16', 'row 17', 'row 18', 'row 19'],
  });
  const more = Buffer.from('\n'.repeat(1200));
  screen.write(more, screen.offset + more.length);
  expect(screen.page(5, 20)).toMatchObject({ lines: [], oldest: 227, end: 1231 });
  expect(screen.page(1, 228).lines).toEqual(['']);
});

test('a checkpoint holds as many rows above the viewport as asked for', () => {
  using screen = screenOf(Array.from({ length: 30 }, (_, i) => `row ${i}\r\n`).join(''));
  for (const [rowsMax, kept] of [
    [0, 4],
    [5, 9],
    [1000, 31],
  ] as const) {
    using restored = restoreScreen(screen.checkpoint(rowsMax), { listeners: silent });
    expect(restored.page(1000).lines.length).toBe(kept);
    expect(restored.text()).toEqual(screen.text());
  }
});

test('refuses output that does not follow on', () => {
  using screen = screenOf('abc');
  expect(() => screen.write(Buffer.from('x'), 10)).toThrow('Screen at 3 cannot go on at 9');
});

test('a restored screen tells nothing of what was told before', () => {
  using screen = screenOf('\x1b]2;a\x07\x1b]9;4;1;5\x07\x1b]7501;state=working\x07\x1b]2;hal');
  const told: unknown[] = [];
  using restored = restoreScreen(screen.checkpoint(), {
    listeners: { event: (event) => told.push(event), answer() {} },
  });
  const rest = Buffer.from('f\x07');
  restored.write(rest, screen.offset + rest.length);
  expect(told).toEqual([{ offset: screen.offset + 2, type: 'title', title: 'half' }]);
});
