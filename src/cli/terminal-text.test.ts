import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TerminalText } from './terminal-text.ts';

const read = (chunks: readonly Uint8Array[]) => {
  const text = new TerminalText();
  return chunks.map((chunk) => text.push(chunk)).join('');
};
const readText = (text: string) => read([Buffer.from(text, 'utf8')]);

test.each([
  ['one\r\ntwo\n', 'one\ntwo\n'],
  ['\u001b[1;31mred\u001b[0m and \u001b[4mplain', 'red and plain'],
  ['10%\r20%\r30%\r\n', '10%\n20%\n30%\n'],
  ['a\u001b[3Cb', 'a   b'],
  ['\u001b[2J\u001b[Htop\u001b[5;1Hbelow', 'top\nbelow'],
  ['\u001b]0;title\u0007shown\u001b]8;;https://x\u001b\\link\u001b]8;;\u001b\\', 'shownlink'],
  ['\u001bPq#0;2;0;0;0\u001b\\after', 'after'],
  ['\u001b_Gsecret\u001b\\x\u001b^pm\u001b\\y\u001bXsos\u001b\\z', 'xyz'],
  ['bell\u0007 back\b\u0000end\u007f', 'bell backend'],
  ['日本 🎉', '日本 🎉'],
  ['\u001b(Bx\u001b=y\u001b7z', 'xyz'],
  ['a\u001b\u001b[mb', 'ab'],
  ['cut \u001b[12', 'cut '],
])('%j reads as %j', (output, text) => {
  expect(readText(output)).toBe(text);
});

test('whatever comes, cut anywhere, nothing that acts comes out', () => {
  const nasty = fc.constantFrom(
    '\u001b',
    '[',
    ']',
    '0;',
    '31m',
    '\u0007',
    '\u001b\\',
    '\u009b',
    '\u009d',
    '\u202e',
    'abc',
    '\r',
    '\n',
    'é',
    '\u001bP',
  );
  fc.assert(
    fc.property(fc.array(nasty, { maxLength: 30 }), fc.array(fc.nat(80), { maxLength: 20 }), (words, cuts) => {
      const bytes = Buffer.from(words.join(''), 'utf8');
      const at = [...new Set(cuts.filter((cut) => cut < bytes.length)), 0, bytes.length].sort((a, b) => a - b);
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      const text = read(chunks);
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(text).toBe(read([bytes]));
    }),
    { numRuns: 1_000 },
  );
});
