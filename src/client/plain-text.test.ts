import { expect, test } from 'vitest';
import { plainLine, plainText, withoutTricks } from './plain-text.ts';

test('a line keeps no character that could act in a terminal or reorder what is read', () => {
  const hostile = 'a\u001b[2Jb\u0007c\u009bd\u202ee\u200bf\ud83d g\u{e0041}h\r\ni';
  expect(plainLine(hostile, 60)).toBe('a [2Jb c d e f g h i');
  expect(plainLine('naïve 日本 🎉', 60)).toBe('naïve 日本 🎉');
});

test('a long line ends in an ellipsis and counts characters, not halves of them', () => {
  expect(plainLine('🎉'.repeat(20), 5)).toBe('🎉🎉🎉🎉…');
  expect(plainLine('x'.repeat(10_000_000), 3)).toBe('xx…');
});

test('text of several lines keeps breaks and tabs only', () => {
  expect(plainText('one\r\ntwo\rthree\u001b]0;title\u0007\tfour\u2066')).toBe('one\ntwo\nthree]0;title\tfour');
});

test('a document printed without tricks is the same document', () => {
  const document = { name: 'a\u009b31m\u202e\u{e0041}\ud800 ok 日本' };
  const printed = withoutTricks(JSON.stringify(document));
  expect(JSON.parse(printed)).toEqual(document);
  expect(printed).toMatch(/^[\x20-\x7e日本]*$/);
});
