import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TitleFilter } from './title-filter.ts';

const filtered = (chunks: readonly Uint8Array[]) => {
  const filter = new TitleFilter();
  const text = Buffer.concat(chunks.map((chunk) => Buffer.from(filter.filter(chunk)))).toString('latin1');
  return { text, isAtRest: filter.isAtRest };
};
const through = (text: string) => filtered([Buffer.from(text, 'latin1')]).text;

test.each([
  ['a\u001b]0;mine\u0007b', 'ab'],
  ['a\u001b]2;mine\u001b\\b', 'ab'],
  ['a\u001b]1;icon\u0007b', 'ab'],
  ['a\u001b]2;cut off by\u001b[1mbold', 'a\u001b[1mbold'],
  ['a\u001b[22;0tb\u001b[23;0tc\u001b[22t', 'abc'],
])('%j loses its titles', (text, left) => {
  expect(through(text)).toBe(left);
});

test.each([
  '\u001b]8;;https://x\u001b\\link\u001b]8;;\u001b\\',
  '\u001b]52;c;YWJj\u0007',
  '\u001b]7501;review\u0007',
  '\u001b]10;?\u0007',
  '\u001b]20;2;no title\u0007',
  '\u001bP+q]0;inside a string\u001b\\',
  '\u001b[2J\u001b[8;24;80t\u001b[22m\u001b[1;31mred',
  '\u001b(0qqq\u001b(B\u001bM\u001b7\u001b8',
  `\u001b[${'1;'.repeat(60)}t`,
])('%j passes untouched', (text) => {
  expect(through(text)).toBe(text);
});

test('knows when nothing is half printed', () => {
  const restAfter = (text: string) => filtered([Buffer.from(text, 'utf8')]).isAtRest;
  for (const whole of ['abc', '日本', '\u001b[0m', '\u001b]0;x\u0007', '\u001b]8;;\u001b\\', '\u001b7'])
    expect(restAfter(whole)).toBe(true);
  for (const half of [
    '\u001b',
    '\u001b[',
    '\u001b[3',
    '\u001b]',
    '\u001b]0;x',
    '\u001b]8;;x',
    '\u001b(',
    '\u001bPq',
    '\u001b]8;;\u001b',
  ])
    expect(restAfter(half)).toBe(false);
  for (const half of [[0xe6], [0xe6, 0x97], [0xf0, 0x9f, 0x8e]])
    expect(filtered([Uint8Array.from(half)]).isAtRest).toBe(false);
});

const pieces = fc.constantFrom(
  ...[
    '\u001b]0;t\u0007',
    '\u001b]2;t\u001b\\',
    '\u001b[22;0t',
    '\u001b[23t',
    '\u001b]8;;u\u001b\\',
    '\u001bPq\u001b]0;x\u001b\\',
    '\u001b',
    '\u001b[',
  ],
  ...['\u001b]', 'text', '\u0018', '\u001b[1;2H', '\u001b\\', '\u0007', '0;', '2', '\u001b(0'],
);

test('how the output is cut never changes what comes out', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), fc.array(fc.nat(120), { maxLength: 30 }), (words, cuts) => {
      const bytes = Buffer.from(words.join(''), 'latin1');
      const at = [...new Set(cuts.filter((cut) => cut < bytes.length)), 0, bytes.length].sort((a, b) => a - b);
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(filtered(chunks)).toEqual(filtered([bytes]));
    }),
    { numRuns: 2_000 },
  );
});
