import { expect, test } from 'vitest';
import { safeText } from './safe-text.ts';

test.each([
  ['plain words', 'plain words'],
  ['  two\n\tlines\r\nand more  ', 'two lines and more'],
  ['\x1b[31mred\x1b[0m \x9b1m bell\x07', '[31mred [0m 1m bell'],
  ['pay \u202e0001\u202c now\u200b\ufeff', 'pay 0001 now'],
  ['tag\u{e0041}\u{e007f}ged', 'tagged'],
  ['half \ud83d pair, whole 😀', 'half \ufffd pair, whole 😀'],
  ['\u0000\u0085\u2028', ''],
])('%j becomes %j', (text, safe) => {
  expect(safeText(text)).toBe(safe);
});

test('cuts long text at whole characters', () => {
  expect(safeText('😀'.repeat(10), 4)).toBe('😀😀😀…');
  expect(safeText('😀'.repeat(4), 4)).toBe('😀😀😀😀');
});
