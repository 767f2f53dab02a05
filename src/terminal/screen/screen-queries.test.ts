import { expect, test } from 'vitest';
import { createScreen, restoreScreen } from './create-screen.ts';
import { darkLook } from './screen-queries.ts';

/** Answers to what is asked in `stream`, with the offset each belongs to; `setup` comes before and is not counted. */
function answers(stream: string, setup = ''): [offset: number, answer: string][] {
  const found: [number, string][] = [];
  using screen = createScreen({
    columns: 80,
    rows: 24,
    listeners: {
      event() {},
      answer: ({ queryOffset, bytes }) => found.push([queryOffset, Buffer.from(bytes).toString('latin1')]),
    },
  });
  const before = Buffer.from(setup);
  const bytes = Buffer.from(stream);
  screen.write(before, before.length);
  screen.write(bytes, before.length + bytes.length);
  return found.map(([offset, answer]) => [offset - before.length, answer]);
}

const answer = (query: string, setup = '') => answers(query, setup).map(([, text]) => text);

test('says what it is', () => {
  expect(answer('\x1b[c')).toEqual(['\x1b[?62;22;52c']);
  expect(answer('\x1b[0c')).toEqual(['\x1b[?62;22;52c']);
  expect(answer('\x1bZ')).toEqual(['\x1b[?62;22;52c']);
  expect(answer('\x1b[>c')).toEqual(['\x1b[>1;10;0c']);
  expect(answer('\x1b[=c')).toEqual(['\x1bP!|00000000\x1b\\']);
  expect(answer('\x1b[>q')).toEqual(['\x1bP>|concertmaster(1)\x1b\\']);
  expect(answer('\x1bP+q524742;546E\x1b\\')).toEqual(['\x1bP1+r524742=38\x1b\\', '\x1bP0+r546E\x1b\\']);
});

test('says where the cursor is, within the region in origin mode, on the last column when a wrap is due', () => {
  expect(answer('\x1b[5n\x1b[6n\x1b[?6n', '\x1b[3;7H')).toEqual(['\x1b[0n', '\x1b[3;7R', '\x1b[?3;7R']);
  expect(answer('\x1b[6n', '\x1b[5;9r\x1b[?6h\x1b[2;3H')).toEqual(['\x1b[2;3R']);
  expect(answer('\x1b[6n', 'x'.repeat(80))).toEqual(['\x1b[1;80R']);
});

test('says which modes are set', () => {
  expect(answer('\x1b[?2026$p\x1b[?2026h\x1b[?2026$p')).toEqual(['\x1b[?2026;2$y', '\x1b[?2026;1$y']);
  expect(
    answer('\x1b[?1049$p\x1b[?7$p\x1b[?5$p\x1b[?2027$p\x1b[?2048$p\x1b[4$p\x1b[99$p', '\x1b[?1049h\x1b[?5h'),
  ).toEqual([
    ...[
      '\x1b[?1049;1$y',
      '\x1b[?7;1$y',
      '\x1b[?5;1$y',
      '\x1b[?2027;0$y',
      '\x1b[?2048;0$y',
      '\x1b[4;2$y',
      '\x1b[99;0$y',
    ],
  ]);
});

test('says what is set: pen, region, cursor shape, protection', () => {
  const setup = '\x1b[1;4:3;38;2;1;2;3m\x1b[58:5:9m\x1b[1"q\x1b[3;8r\x1b[4 q';
  expect(
    answer('\x1bP$qm\x1b\\\x1bP$qr\x1b\\\x1bP$q q\x1b\\\x1bP$q"q\x1b\\\x1bP$q"p\x1b\\\x1bP$qx\x1b\\', setup),
  ).toEqual([
    '\x1bP1$r0;1;4:3;38;2;1;2;3;58:5:9m\x1b\\',
    '\x1bP1$r3;8r\x1b\\',
    '\x1bP1$r4 q\x1b\\',
    '\x1bP1$r1"q\x1b\\',
    '\x1bP1$r62;1"p\x1b\\',
    '\x1bP0$r\x1b\\',
  ]);
});

test('says its colours, ended as the question was', () => {
  expect(answer('\x1b]10;?\x07\x1b]11;?\x1b\\\x1b]12;?\x07')).toEqual([
    '\x1b]10;rgb:e5e5/e5e5/e5e5\x07',
    '\x1b]11;rgb:0000/0000/0000\x1b\\',
    '\x1b]12;rgb:e5e5/e5e5/e5e5\x07',
  ]);
  expect(answer('\x1b]10;?;?\x07', '\x1b]11;#123\x07')).toEqual([
    '\x1b]10;rgb:e5e5/e5e5/e5e5\x07',
    '\x1b]11;rgb:1111/2222/3333\x07',
  ]);
  expect(answer('\x1b]4;1;?;196;?;255;?\x1b\\', '\x1b]4;1;rgb:1/22/333\x07')).toEqual([
    '\x1b]4;1;rgb:1111/2222/3333\x1b\\',
    '\x1b]4;196;rgb:ffff/0000/0000\x1b\\',
    '\x1b]4;255;rgb:eeee/eeee/eeee\x1b\\',
  ]);
  expect(answer('\x1b[?996n')).toEqual(['\x1b[?997;1n']);
});

test('says how large it is', () => {
  expect(answer('\x1b[14t\x1b[16t\x1b[18t\x1b[19t')).toEqual([
    '\x1b[4;432;720t',
    '\x1b[6;18;9t',
    '\x1b[8;24;80t',
    '\x1b[9;24;80t',
  ]);
});

test('says which keyboard protocol is on', () => {
  expect(answer('\x1b[?u\x1b[>5u\x1b[?u\x1b[<u\x1b[?u')).toEqual(['\x1b[?0u', '\x1b[?5u', '\x1b[?0u']);
  expect(answer('\x1b[?4m\x1b[>4;2m\x1b[?4m')).toEqual(['\x1b[>4;0m', '\x1b[>4;2m']);
});

test('answers the program status query with the same bytes, in its place before DA1', () => {
  expect(answers('\x1b]7501;?\x1b\\\x1b[c')).toEqual([
    [10, '\x1b]7501;?\x1b\\'],
    [13, '\x1b[?62;22;52c'],
  ]);
  expect(answer('\x1b]7501;?\x07')).toEqual(['\x1b]7501;?\x07']);
});

test('says that it shows notifications', () => {
  expect(answer('\x1b]99;i=q1:p=?;\x1b\\')).toEqual(['\x1b]99;i=q1:p=?;p=title,body:u=0,1,2:o=always\x1b\\']);
});

test('never tells titles or the clipboard', () => {
  expect(answer('\x1b[20t\x1b[21t\x1b]52;c;?\x07\x1b]52;;?\x1b\\', '\x1b]0;secret\x07')).toEqual([]);
});

test('does not answer answers', () => {
  expect(answer('\x1b[?62;22;52c\x1b[3;7R\x1b[?2026;1$y\x1b]10;rgb:e5e5/e5e5/e5e5\x07\x1b[?5u')).toEqual(['\x1b[?0u']);
});

test('reports the exact offset however a query is cut', () => {
  const stream = Buffer.from('ab\x1b[6n\x1b]11;?\x1b\\é\x1bP$qm\x1b\\');
  for (let cut = 0; cut <= stream.length; cut++) {
    const offsets: number[] = [];
    using screen = createScreen({
      columns: 20,
      rows: 4,
      offset: 1000,
      listeners: { event() {}, answer: (a) => offsets.push(a.queryOffset) },
    });
    screen.write(stream.subarray(0, cut), 1000 + cut);
    screen.write(stream.subarray(cut), 1000 + stream.length);
    expect(offsets).toEqual([1006, 1014, 1023]);
  }
});

test('a restored screen answers what came after its checkpoint, half-read queries included, and nothing before', () => {
  const stream = Buffer.from('\x1b[6n\x1b]11;?\x1b\\\x1b[5n');
  for (let cut = 0; cut <= stream.length; cut++) {
    const offsets: number[] = [];
    const take = (a: { queryOffset: number }) => offsets.push(a.queryOffset);
    using screen = createScreen({ columns: 20, rows: 4, listeners: { event() {}, answer: take } });
    screen.write(stream.subarray(0, cut), cut);
    using restored = restoreScreen(screen.checkpoint(), { listeners: { event() {}, answer: take } });
    restored.write(stream.subarray(cut), stream.length);
    expect(offsets).toEqual([4, 12, 16]);
  }
});

test('answers for the window it is told of', () => {
  const found: string[] = [];
  using screen = createScreen({
    columns: 10,
    rows: 4,
    listeners: { event() {}, answer: (a) => found.push(Buffer.from(a.bytes).toString()) },
  });
  screen.setLook({
    ...darkLook,
    scheme: 'light',
    background: { red: 0xffff, green: 0xffff, blue: 0xffff },
    cellHeight: 20,
  });
  const query = Buffer.from('\x1b]11;?\x07\x1b[?996n\x1b[16t');
  screen.write(query, query.length);
  expect(found).toEqual(['\x1b]11;rgb:ffff/ffff/ffff\x07', '\x1b[?997;2n', '\x1b[6;20;9t']);
});
