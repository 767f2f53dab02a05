import { expect, test } from 'vitest';
import { fitText, padText, textWidth } from './text-width.ts';

test.each([
  ['plain', 5],
  ['naïve', 5],
  ['e\u0301', 1],
  ['日本語', 6],
  ['한글', 4],
  ['🎉', 2],
  ['🇩🇪', 2],
  ['◆ ✓', 3],
  ['ｆｕｌｌ', 8],
])('%s takes %i columns', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('cutting never splits a wide character and never exceeds the columns', () => {
  expect(fitText('日本語テスト', 7)).toBe('日本語…');
  expect(fitText('日本語テスト', 6)).toBe('日本…');
  expect(fitText('abc', 3)).toBe('abc');
  expect(fitText('abcdef', 5, '...')).toBe('ab...');
  for (let columns = 0; columns < 14; columns++) {
    expect(textWidth(fitText('日a本b語c', columns))).toBeLessThanOrEqual(columns);
    expect(textWidth(padText('日a本b語c', columns))).toBe(columns);
  }
});

test('padding fills either side', () => {
  expect(padText('6m', 4, 'start')).toBe('  6m');
  expect(padText('日', 4)).toBe('日  ');
});
