import { expect, test } from 'vitest';
import { createScreen } from './create-screen.ts';
import type { ScreenEvent } from './screen-events.ts';

function events(stream: string): ScreenEvent[] {
  const found: ScreenEvent[] = [];
  using screen = createScreen({
    columns: 80,
    rows: 24,
    listeners: { event: (event) => found.push(event), answer() {} },
  });
  const bytes = Buffer.from(stream);
  screen.write(bytes, bytes.length);
  return found;
}

const said = (stream: string) => events(stream).map(({ offset, ...event }) => event);
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('titles, when they change, also through the title stack', () => {
  expect(events('\x1b]0;one\x07\x1b]2;one\x07\x1b[22;0t\x1b]2;two\x1b\\\x1b[23;0t')).toEqual([
    { offset: 8, type: 'title', title: 'one' },
    { offset: 32, type: 'title', title: 'two' },
    { offset: 39, type: 'title', title: 'one' },
  ]);
});

test('bells, but not those that end a string', () => {
  expect(events('a\x07\x1b]1;x\x07\x1b[3\x07m')).toEqual([
    { offset: 2, type: 'bell' },
    { offset: 12, type: 'bell' },
  ]);
});

test('notifications of three kinds', () => {
  const urgency = 'normal';
  expect(said('\x1b]9;done; really\x07')).toEqual([{ type: 'notification', title: '', body: 'done; really', urgency }]);
  expect(said('\x1b]777;notify;Title;Body; more\x1b\\')).toEqual([
    { type: 'notification', title: 'Title', body: 'Body; more', urgency },
  ]);
  expect(said('\x1b]99;;Hello\x1b\\')).toEqual([{ type: 'notification', title: 'Hello', body: '', urgency }]);
  expect(
    said(`\x1b]99;i=1:d=0;Ti\x1b\\\x1b]99;i=1:d=0;tle\x1b\\\x1b]99;i=1:p=body:e=1:u=2;${base64('Bödy')}\x1b\\`),
  ).toEqual([{ type: 'notification', title: 'Title', body: 'Bödy', urgency: 'critical' }]);
  expect(said('\x1b]777;other;x\x07\x1b]9;1;500\x07\x1b]99;p=close;x\x07\x1b]99;i=2:p=?;\x07')).toEqual([]);
});

test('progress', () => {
  expect(said('\x1b]9;4;1;40\x07\x1b]9;4;3\x07\x1b]9;4;2;200\x07\x1b]9;4;0\x07\x1b]9;4;9\x07')).toEqual([
    { type: 'progress', progress: { state: 'normal', percent: 40 } },
    { type: 'progress', progress: { state: 'indeterminate', percent: 0 } },
    { type: 'progress', progress: { state: 'error', percent: 100 } },
    { type: 'progress', progress: undefined },
  ]);
});

test('clipboard: set only, whole and sound only', () => {
  expect(said(`\x1b]52;c;${base64('héllo')}\x07\x1b]52;;\x07`)).toEqual([
    { type: 'clipboard', selection: 'c', text: 'héllo' },
    { type: 'clipboard', selection: 'c', text: '' },
  ]);
  expect(said(`\x1b]52;c;?\x07\x1b]52;c;!!\x07\x1b]52;c;${base64('x'.repeat(140_000))}\x07`)).toEqual([]);
});

test('folder and prompt marks', () => {
  expect(
    said(
      '\x1b]7;file://host/a%20b\x07\x1b]133;A\x07\x1b]133;B\x07\x1b]133;C\x07\x1b]133;D;-1;x\x07\x1b]133;D\x07\x1b]133;Z\x07',
    ),
  ).toEqual([
    { type: 'cwd', address: 'file://host/a%20b' },
    { type: 'mark', mark: 'prompt' },
    { type: 'mark', mark: 'input' },
    { type: 'mark', mark: 'output' },
    { type: 'mark', mark: 'finished', exitCode: -1 },
    { type: 'mark', mark: 'finished' },
  ]);
});

test('program status records', () => {
  const report = `state=blocked:kind=permission:msg=${base64('approve Bash: mkdir x')}:title=${base64('t')}:app=claude:id=a/b:progress=40:new=1`;
  expect(said(`\x1b]7501;${report}\x1b\\`)).toEqual([
    {
      type: 'status',
      status: {
        id: 'a/b',
        state: 'blocked',
        kind: 'permission',
        message: 'approve Bash: mkdir x',
        title: 't',
        app: 'claude',
        progress: 40,
      },
    },
  ]);
  expect(said('\x1b]7501;state=idle:kind=question:progress=101\x07')).toEqual([
    { type: 'status', status: { id: '', state: 'idle' } },
  ]);
});

test('program status: what breaks the rules is dropped', () => {
  const dropped = [
    'state=sleeping',
    'kind=permission',
    'state=working:msg=%%%',
    `state=working:msg=${base64('a\x1b[31mb')}`,
    'state=working:msg=//79/A==',
    `state=working:msg=${base64('x'.repeat(4000))}`,
    '?',
  ];
  expect(said(dropped.map((report) => `\x1b]7501;${report}\x07`).join(''))).toEqual([]);
  const many = Array.from({ length: 300 }, (_, i) => `\x1b]7501;state=working:id=${i}\x07`).join('');
  expect(said(many).length).toBe(256);
  expect(said(`${many}\x1b]7501;state=clear:id=3\x07\x1b]7501;state=idle:id=new\x07`).length).toBe(258);
});

test('nothing in a text acts on who shows it', () => {
  expect(said('\x1b]2;a\u202eb\u2066c\u200fd\u2028e\x07')).toEqual([{ type: 'title', title: 'abcde' }]);
  expect(said(`\x1b]99;e=1;${base64('x\x1b]0;y\x07\r\nz')}\x07`)).toEqual([
    { type: 'notification', title: 'x]0;yz', body: '', urgency: 'normal' },
  ]);
  const long = said(`\x1b]2;${'👍'.repeat(10_000)}\x07`)[0];
  expect(long).toMatchObject({ type: 'title', title: '👍'.repeat(512) });
});

test('ten megabytes of anything leave little behind', () => {
  const found: ScreenEvent[] = [];
  using screen = createScreen({
    columns: 80,
    rows: 24,
    listeners: { event: (event) => found.push(event), answer() {} },
  });
  let at = 0;
  const write = (text: string) => {
    const bytes = Buffer.from(text);
    at += bytes.length;
    screen.write(bytes, at);
  };
  for (const start of [
    '\x1b]2;',
    '\x1b]52;c;',
    '\x1b]7501;state=working:msg=',
    '\x1b]8;;http://',
    '\x1bPq',
    '\x1b_G',
    '\x1b]99;;',
  ]) {
    write(start);
    for (let i = 0; i < 160; i++) write('A'.repeat(64 * 1024));
    write('\x1b\\');
  }
  for (let i = 0; i < 100; i++) write(`\x1b]99;i=${i}:d=0;${'x'.repeat(10_000)}\x1b\\`);
  for (let i = 0; i < 100; i++) write(`\x1b]2;${'t'.repeat(10_000)}\x07\x1b[22t`);
  expect([screen.oversized, screen.checkpoint().bytes.length < 100_000]).toEqual([7, true]);
  expect(found.length).toBeLessThan(3);
});
