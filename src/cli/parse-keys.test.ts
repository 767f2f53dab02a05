import { expect, test } from 'vitest';
import { parseKeys } from './parse-keys.ts';

test.each([
  [['hello'], 'hello'],
  [['^C'], '\u0003'],
  [['^c', '^[', '^]', '^?', '^@'], '\u0003\u001b\u001d\u007f\u0000'],
  [['\\x1b[A'], '\u001b[A'],
  [['\\e', '\\r', '\\n', '\\t', '\\0'], '\u001b\r\n\t\u0000'],
  [['\\u{1f389}é'], '🎉é'],
  [['a\\\\b\\^C'], 'a\\b^C'],
  [['2 ^ 3'], '2 ^ 3'],
  [['^'], '^'],
])('%j', (pieces, text) => {
  expect(parseKeys(pieces)).toEqual({ ok: true, value: Buffer.from(text, 'utf8') });
});

test.each(['\\q', '\\x1', '\\', '\\u{110000}'])('%j is refused', (piece) => {
  expect(parseKeys([piece])).toMatchObject({ ok: false, code: 'request/invalid' });
});
