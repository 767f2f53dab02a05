import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KeyStep, PrefixKeys } from './prefix-keys.ts';

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'utf8'));

/** Steps with neighbouring bytes joined, as text. */
function read(keys: PrefixKeys, chunks: readonly Uint8Array[]): (string | KeyStep)[] {
  const steps = [...chunks.flatMap((chunk) => keys.push(chunk, 0)), ...keys.flush()];
  const joined: (string | KeyStep)[] = [];
  for (const step of steps) {
    const last = joined.at(-1);
    if (step.type !== 'bytes') joined.push(step);
    else if (typeof last === 'string') joined[joined.length - 1] = last + Buffer.from(step.bytes).toString('latin1');
    else joined.push(Buffer.from(step.bytes).toString('latin1'));
  }
  return joined;
}

const typed = (text: string, prefix = 'ctrl+]') => read(new PrefixKeys(prefix), [bytesOf(text)]);
const detach = { type: 'detach' };
const nothing = { type: 'nothing' };

test.each([
  ['the control byte', '\u001d'],
  ['kitty', '\u001b[93;5u'],
  ['kitty, pressed', '\u001b[93;5:1u'],
  ['kitty, with num lock', '\u001b[93;133u'],
  ['kitty, with caps lock', '\u001b[93;69u'],
  ['modifyOtherKeys', '\u001b[27;5;93~'],
])('%s is the prefix', (_, prefix) => {
  expect(typed(`a${prefix}db`)).toEqual(['a', detach, 'b']);
  expect(typed(`${prefix}3`)).toEqual([{ type: 'tab', tab: 3 }]);
  expect(typed(`${prefix}?`)).toEqual([{ type: 'help' }]);
  expect(typed(`a${prefix}${prefix}b`)).toEqual([`a${prefix}b`]);
  expect(typed(`a${prefix}xb`)).toEqual(['a', nothing, 'b']);
});

test.each([
  ['another key with control', '\u001b[91;5u'],
  ['the key without control', '\u001b[93u'],
  ['with alt too', '\u001b[93;7u'],
  ['arrows', '\u001b[A\u001b[1;5C\u001bOA'],
  ['a mouse report', '\u001b[<0;10;20M\u001b[<0;10;20m'],
  ['an old mouse report', '\u001b[M\u0020\u0031\u0032'],
  ['alt and a letter', '\u001bd'],
  ['words of any script', 'naïve 日本 🎉'],
  ['an endless sequence', `\u001b[${'1;'.repeat(100)}m`],
])('%s passes untouched', (_, text) => {
  expect(typed(text)).toEqual([bytesOf(text).reduce((all, byte) => all + String.fromCharCode(byte), '')]);
});

test('a lone Esc waits for its rest and then is itself', () => {
  const keys = new PrefixKeys('ctrl+]');
  expect(keys.push(bytesOf('\u001b'), 0)).toEqual([]);
  expect(keys.isHolding).toBe(true);
  expect(keys.flush()).toEqual([{ type: 'bytes', bytes: bytesOf('\u001b') }]);
  expect(keys.isHolding).toBe(false);
});

test('Esc, an arrow or a character of many bytes after the prefix only take it back', () => {
  expect(typed('\u001d\u001b')).toEqual([nothing]);
  expect(typed('\u001d\u001b[Ax')).toEqual([nothing, 'x']);
  expect(typed('\u001d日x')).toEqual([nothing, 'x']);
  expect(typed('\u001d🎉x')).toEqual([nothing, 'x']);
});

test('reports of mouse and focus between prefix and key take nothing back', () => {
  expect(typed('\u001d\u001b[<35;1;1M\u001b[Id')).toEqual(['\u001b[<35;1;1M\u001b[I', detach]);
});

test('kitty keys after the prefix are understood, their releases and modifiers swallowed', () => {
  expect(typed('\u001b[93;5:1u\u001b[93;5:3u\u001b[100;1:1u\u001b[100;1:3ux')).toEqual([detach, 'x']);
  expect(typed('\u001d\u001b[57441;2u\u001b[47:63;2u')).toEqual([{ type: 'help' }]);
  expect(typed('\u001d\u001b[47;2;63u')).toEqual([{ type: 'help' }]);
  expect(typed('\u001d\u001b[100;5ux')).toEqual([nothing, 'x']);
});

test('inside a paste nothing is the prefix, and a paste that lost its end does not take it for good', () => {
  const paste = '\u001b[200~a\u001dd\u001b[93;5ud\u001b[201~';
  expect(typed(`${paste}\u001dd`)).toEqual([paste, detach]);
  const keys = new PrefixKeys('ctrl+]');
  keys.push(bytesOf('\u001b[200~abc'), 0);
  expect(keys.push(bytesOf('\u001dd'), 500)).toEqual([{ type: 'bytes', bytes: bytesOf('\u001dd') }]);
  expect(keys.push(bytesOf('\u001dd'), 2_000)).toEqual([detach]);
});

test('another prefix leaves ctrl+] to the agent', () => {
  expect(typed('\u001d\u0001d', 'ctrl+a')).toEqual(['\u001d', detach]);
  expect(typed('\u001b[97;5u3', 'ctrl+a')).toEqual([{ type: 'tab', tab: 3 }]);
  expect(typed('\u001b[45:95;6ud', 'ctrl+_')).toEqual([detach]);
});

const pieces = fc.constantFrom(
  ...[
    '\u001d',
    '\u001b[93;5u',
    '\u001b[27;5;93~',
    '\u001b[93;5:3u',
    '\u001b',
    '\u001b[',
    '\u001b[9',
    '\u001b[A',
    '\u001b[200~',
    '\u001b[201~',
  ],
  ...['d', '3', '?', 'x', '日', '\u001b[M', '\u001b[<0;1;1M', '\r', '\u0000', '\u001b[100;1:3u'],
);

test('how the input is cut never changes what it means', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), fc.array(fc.nat(200), { maxLength: 40 }), (words, cuts) => {
      const bytes = bytesOf(words.join(''));
      const at = [...new Set(cuts.filter((cut) => cut < bytes.length)), 0, bytes.length].sort((a, b) => a - b);
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(read(new PrefixKeys('ctrl+]'), chunks)).toEqual(read(new PrefixKeys('ctrl+]'), [bytes]));
    }),
    { numRuns: 2_000 },
  );
});

test('without the prefix every byte arrives, in order', () => {
  const anything = fc.uint8Array({ maxLength: 60 }).map((bytes) => bytes.filter((byte) => byte !== 0x1d));
  fc.assert(
    fc.property(anything, (bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      fc.pre(!/\u001b\[(93|27;)/.test(text));
      expect(read(new PrefixKeys('ctrl+]'), [bytes])).toEqual(text === '' ? [] : [text]);
    }),
    { numRuns: 2_000 },
  );
});
