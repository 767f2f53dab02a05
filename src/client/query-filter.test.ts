import { expect, test } from 'vitest';
import { createQueryFilter } from './query-filter.ts';

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const textOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);

function filtered(text: string, size = text.length): string {
  const filter = createQueryFilter();
  const bytes = bytesOf(text);
  let shown = '';
  for (let at = 0; at < bytes.length; at += size) shown += textOf(filter.filter(bytes.subarray(at, at + size)));
  return shown;
}

const queries = [
  ...['\x1b[c', '\x1b[0c', '\x1b[>c', '\x1b[>0c', '\x1b[=c', '\x1bZ', '\x05', '\xc2\x9a', '\xc2\x9bc'],
  ...['\x1b[5n', '\x1b[6n', '\x1b[?6n', '\x1b[?996n', '\x1b[?15n', '\x1b[?2026$p', '\x1b[4$p', '\x1b[>q', '\x1b[>0q'],
  ...[
    '\x1b[?u',
    '\x1b[?4m',
    '\x1b[?1;1;0S',
    '\x1b[x',
    '\x1b[1$w',
    '\x1b[1;1;1;1;1;1*y',
    "\x1b['|",
    '\x1b[#|',
    '\x1b[#R',
  ],
  ...['\x1b[14t', '\x1b[14;2t', '\x1b[16t', '\x1b[18t', '\x1b[19t', '\x1b[20t', '\x1b[21t', '\x1b[11t', '\x1b[13t'],
  ...[
    '\x1bP$qm\x1b\\',
    '\x1bP$q q\x1b\\',
    '\x1bP+q524742\x1b\\',
    '\xc2\x90$qr\xc2\x9c',
    '\x1bPtmux;x\x1b\\',
    '\x1b_Gi=1,a=q;AA\x1b\\',
  ],
  ...[
    '\x1b]10;?\x07',
    '\x1b]11;?\x1b\\',
    '\x1b]12;?\xc2\x9c',
    '\x1b]10;?;?\x07',
    '\x1b]4;1;?\x07',
    '\x1b]4;1;?;2;?\x07',
    '\x1b]5;0;?\x07',
  ],
  ...[
    '\x1b]52;c;?\x07',
    '\x1b]52;;?\x1b\\',
    '\x1b]7501;?\x1b\\',
    '\x1b]99;i=1:p=?;\x1b\\',
    '\x1b]21;foreground=?\x1b\\',
    '\x1b]50;?\x07',
  ],
  ...[
    '\x1b]1337;ReportCellSize\x07',
    '\x1b]60\x1b\\'.replace('60', '60;?'),
    '\x1b]00011;?\x07',
    `\x1b]${'0'.repeat(200)}11;?\x07`,
  ],
  ...[`\x1bP${'0'.repeat(200)}$qm\x1b\\`, `\x1b[${'0'.repeat(200)}c`],
];

const others = [
  ...[
    'plain',
    'tïtle'.normalize(),
    '\x1b[31m',
    '\x1b[38;2;1;2;3;4:3m',
    '\x1b[>4;2m',
    '\x1b[>4n',
    '\x1b[2J',
    '\x1b[?2026h',
    '\x1b[?1049l',
  ],
  ...[
    '\x1b[1;5r',
    '\x1b[2 q',
    '\x1b[1"q',
    '\x1b[!p',
    '\x1b[>5u',
    '\x1b[<u',
    '\x1b[=1;1u',
    '\x1b[u',
    '\x1b[s',
    '\x1b[22;0t',
    '\x1b[8;24;80t',
    '\x1b[3S',
  ],
  ...[
    '\x1b]0;title\x07',
    '\x1b]2;what?\x1b\\',
    '\x1b]8;;http://a/?x\x1b\\',
    '\x1b]52;c;YQ==\x07',
    '\x1b]9;hello?\x07',
    '\x1b]7501;state=idle\x07',
  ],
  ...[
    '\x1b]10;#fff\x07',
    '\x1b]4;1;rgb:1/2/3\x1b\\',
    '\x1b]104\x07',
    '\x1b]99;i=1;p=?\x1b\\',
    '\x1b]1337;File=x:AAAA\x07',
    '\x1b]133;A\x07',
    '\x1b]x\x07',
  ],
  ...[
    '\x1bPq#0;2;0;0;0~~\x1b\\',
    '\x1b_Ga=T,f=24;AAAA\x1b\\',
    '\x1bXsos\x1b\\',
    '\x1b^pm\x1b\\',
    '\x1b(0',
    '\x1b7\x1b8',
    '\x1bc',
    '\x1b#8',
    '\x1b\\',
  ],
  ...[
    '\xc2\xa0é'.normalize(),
    '\xe6\xbc\xa2\xf0\x9f\x91\x8d',
    '\xc2\x85',
    '\x1b[1\x18c',
    '\x1b[3\n1m',
    '\xff\x80',
    '\x1b]2;a\x18b',
  ],
];

test.each(queries)('takes out %j, cut anywhere', (query) => {
  for (let size = 1; size <= query.length; size++) expect(filtered(`a${query}b`, size)).toBe('ab');
});

test.each(others)('passes %j as it is, cut anywhere', (other) => {
  for (let size = 1; size <= other.length; size++) expect(filtered(`a${other}b`, size)).toBe(`a${other}b`);
});

test('all of them together, cut anywhere', () => {
  const mixed = queries.flatMap((query, i) => [
    others[i % others.length] ?? '',
    query,
    others[(i * 7) % others.length] ?? '',
  ]);
  const expected = mixed.filter((part) => !queries.includes(part)).join('');
  for (const size of [1, 2, 3, 5, 17, 64, 1000, 100_000]) expect(filtered(mixed.join(''), size)).toBe(expected);
});

test('what sets a colour stays when the same sequence asks for another', () => {
  for (const size of [1, 7, 100]) {
    expect(filtered('\x1b]4;1;?;2;#fff;3;?\x07', size)).toBe('\x1b]4;2;#fff\x1b\\');
    expect(filtered('\x1b]10;#111;?;#333\x07', size)).toBe('\x1b]10;#111\x1b\\\x1b]12;#333\x1b\\');
    expect(filtered('\x1b]21;foreground=?;background=#fff\x1b\\', size)).toBe('\x1b]21;background=#fff\x1b\\');
  }
});

test('controls inside a query are executed all the same', () => {
  for (const size of [1, 3, 100]) {
    expect(filtered('a\x1b[\n6\rnb', size)).toBe('a\n\rb');
    expect(filtered('a\x1b\n[cb', size)).toBe('a\nb');
    expect(filtered('a\x1b[3\x051mb', size)).toBe('a\x1b[31mb');
    expect(filtered('a\x1b]1\n1;\n?\x07b', size)).toBe('ab');
  }
});

test('what was broken off by a query does not go on after it', () => {
  for (const size of [1, 3, 100]) {
    expect(filtered('\x1b]2;title\x1b[6nb', size)).toBe('\x1b]2;title\x1b\\b');
    expect(filtered('\x1b]2;title\xc2\x9b6nb', size)).toBe('\x1b]2;title\x1b\\b');
    expect(filtered('\x1b]2;title\x1b[1mb', size)).toBe('\x1b]2;title\x1b[1mb');
    expect(filtered('\x1bPq\x18\x1b[cb', size)).toBe('\x1bPq\x18b');
    for (const begun of ['\x1b', '\x1b(', '\x1b[', '\x1b[1;2', '\x1b[?']) {
      expect(filtered(`${begun}\x1b[cb`, size)).toBe('b');
      expect(filtered(`${begun}\x1b[1mb`, size)).toBe('\x1b[1mb');
      expect(filtered(`${begun}\xc2\x9bcb`, size)).toBe('b');
    }
  }
});

test('holds back little: long strings pass as they come, hostile ones are dropped', () => {
  const filter = createQueryFilter();
  const image = bytesOf('A'.repeat(100_000));
  expect(textOf(filter.filter(bytesOf('\x1b_Ga=T;')))).toBe('\x1b_Ga=T;');
  expect(filter.filter(image).length).toBe(100_000);
  expect(textOf(filter.filter(bytesOf('\x1b\\x')))).toBe('\x1b\\x');
  expect(textOf(filter.filter(bytesOf('\x1b]4;')))).toBe('');
  for (let i = 0; i < 10; i++) expect(filter.filter(image).length).toBe(0);
  expect(textOf(filter.filter(bytesOf(';?\x07x')))).toBe('x');
  expect(filter.filter(bytesOf(`\x1b[${'1;'.repeat(5000)}`)).length).toBe(0);
});

test('gives back the chunk itself when there is nothing to take out', () => {
  const chunk = bytesOf('plain \x1b[31mtext\x1b[m and \x1b]2;a title\x07\r\n');
  expect(createQueryFilter().filter(chunk)).toBe(chunk);
});
