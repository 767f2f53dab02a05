import { expect, test } from 'vitest';
import { randomStream } from '../../../test/support/screen/random-streams.ts';
import { RawTerminal } from '../../../test/support/screen/raw-terminal.ts';
import { ControlScanner, controlBytesMax, stringBytesMax } from './control-scanner.ts';
import { createScreen } from './create-screen.ts';
import { decodeUtf8 } from './decode-utf8.ts';

const size = () => ({ columns: 200, rows: 50 });

function scan(bytes: Uint8Array, sizes: (at: number) => number) {
  const passed: number[] = [];
  const reports: unknown[] = [];
  const scanner = new ControlScanner(
    {
      pass: (part) => passed.push(...part),
      bell: (end) => reports.push(['bell', end]),
      sequence: (sequence, end) => reports.push(['sequence', sequence, end]),
      escape: (final, end) => reports.push(['escape', final, end]),
      string: (string, end) => reports.push(['string', string, end]),
    },
    size,
  );
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + sizes(at));
    scanner.push(bytes.subarray(at, end), end);
    at = end;
  }
  return {
    passed: decodeUtf8(Buffer.from(passed)),
    reports,
    pending: Buffer.from(scanner.pending).toString('latin1'),
  };
}

/** With what was passed as a terminal shows it: a malformed sequence may be passed or left out, it has no effect. */
function shown({ passed, ...rest }: ReturnType<typeof scan>) {
  using terminal = new RawTerminal(20, 6);
  return { ...rest, screen: terminal.feed(Buffer.from(passed)).observe() };
}

const whole = (bytes: Uint8Array) => scan(bytes, () => bytes.length);

test('reports what asks or carries state, with the offset after its last byte, and passes the rest', () => {
  const bytes = Buffer.from('ab\x07\x1b[31mc\x1b[6n\x1b]2;té\x1b\\d\x1bP1$qm\x1b\\\x1b_Gi=1\x1b\\e\x1bc\x1b[?2026h');
  const header = { prefix: '', params: [1], intermediates: '$', final: 'q' };
  expect(whole(bytes)).toEqual({
    passed: 'ab\x07\x1b[31mc\x1b[6n\0d\0\0e\x1bc\x1b[?2026h',
    reports: [
      ['bell', 3],
      ['sequence', { prefix: '', params: [6], intermediates: '', final: 'n' }, 13],
      ['string', { kind: 'osc', data: '2;té', terminator: '\x1b\\' }, 22],
      ['string', { kind: 'dcs', header, data: 'm', terminator: '\x1b\\' }, 31],
      ['string', { kind: 'apc', data: 'Gi=1', terminator: '\x1b\\' }, 39],
      ['escape', 'c', 42],
      ['sequence', { prefix: '?', params: [2026], intermediates: '', final: 'h' }, 50],
    ],
    pending: '',
  });
});

test('holds back what is unfinished', () => {
  for (const unfinished of [
    '\x1b',
    '\x1b[38;5',
    '\x1b]2;title',
    '\x1b]2;title\x1b',
    '\x1bP$qm',
    '\xe2\x82',
    '\xc2',
    '\x1b[3\n1',
    '\x1bXpm',
  ])
    expect(whole(Buffer.from(`ab${unfinished}`, 'latin1'))).toMatchObject({ passed: 'ab', pending: unfinished });
});

test('a long string is read whole, whatever ends it', () => {
  const data = `2;${'x'.repeat(200_000)}`;
  for (const end of ['\x07', '\x1b\\', '\x9c', '\x1b[m'])
    expect(whole(Buffer.from(`\x1b]${data}${end}`)).reports[0]).toMatchObject(['string', { data }, expect.any(Number)]);
});

test('a string ends with BEL, ST in either form, or any ESC; CAN and SUB discard it', () => {
  const ends = (text: string) => whole(Buffer.from(text)).reports;
  expect(ends('\x1b]0;a\x07')).toEqual([['string', { kind: 'osc', data: '0;a', terminator: '\x07' }, 6]]);
  expect(ends('\x1b]0;a\x9c')).toEqual([['string', { kind: 'osc', data: '0;a', terminator: '\x1b\\' }, 7]]);
  expect(ends('\x1b]0;a\x1b[m')).toEqual([['string', { kind: 'osc', data: '0;a', terminator: '\x1b\\' }, 5]]);
  expect(ends('\x1b]0;a\x18')).toEqual([]);
});

test('however the bytes are cut, the same is passed and reported', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const bytes = randomStream(seed, 40);
    const expected = shown(whole(bytes));
    expect(shown(scan(bytes, () => 1))).toEqual(expected);
    expect(shown(scan(bytes, (at) => 1 + ((at * 7 + seed) % 11)))).toEqual(expected);
  }
});

test('a string beyond the limit is dropped, held in little room, and ends where it should', () => {
  const scanner = new ControlScanner(
    {
      pass() {},
      bell() {},
      sequence() {},
      escape() {},
      string: () => expect.unreachable(),
    },
    size,
  );
  const chunk = Buffer.alloc(64 * 1024, 'A');
  let at = 0;
  const push = (bytes: Uint8Array) => {
    at += bytes.length;
    scanner.push(bytes, at);
  };
  push(Buffer.from('\x1b]52;c;'));
  for (let i = 0; i < 160; i++) {
    push(chunk);
    expect(scanner.pending.length).toBeLessThanOrEqual(stringBytesMax + chunk.length);
  }
  expect(Buffer.from(scanner.pending).toString()).toBe('\x1b]x');
  push(Buffer.from('\x07'));
  expect([scanner.pending.length, scanner.oversized]).toEqual([0, 1]);
});

test('a checkpoint inside an oversized sequence leaves the rest of it without effect', () => {
  const digits = '0'.repeat(controlBytesMax + 100);
  const inner = 'x'.repeat(stringBytesMax + 100);
  for (const [start, end] of [
    [`\x1b[${digits}`, ';1;1m'],
    [`\x1b]2;${inner}`, 'more\x07'],
    [`\x1bPq${inner}`, 'more\x1b\\'],
    [`\x1b_G${inner}`, 'more\x9c'],
    [`\x1bX${inner}`, 'more\x1b\\'],
  ] as const) {
    using screen = createScreen({ columns: 20, rows: 4, listeners: { event() {}, answer() {} } });
    const bytes = Buffer.from(`A${start}`);
    screen.write(bytes, bytes.length);
    const checkpoint = screen.checkpoint();
    expect(checkpoint.bytes.length).toBeLessThan(64);
    using restored = new RawTerminal(20, 4);
    using plain = new RawTerminal(20, 4);
    expect(
      restored
        .feed(checkpoint.bytes)
        .feed(Buffer.from(`${end}B`))
        .observe(),
    ).toEqual(plain.feed(Buffer.from('A\0B')).observe());
    expect(screen.oversized).toBe(0);
  }
});

test('a count that would keep the engine busy for minutes is bounded', () => {
  const stream = 'a\x1b[2147483647bb\x1b[50S\x1b[999S\x1b[1000000\nL\x1b[5000I\x1b[999999;2H';
  expect(whole(Buffer.from(stream)).passed).toBe('a\x1b[1024bb\x1b[50S\x1b[50S\n\x1b[50L\x1b[200I\x1b[999999;2H');
});
