import { describe, expect, test } from 'vitest';
import { errorCodes } from '../protocol/index.ts';
import { parseStat } from './diff.ts';
import { isPlainRelative } from './inside.ts';
import { counted, listed, printable, quoted } from './printable.ts';
import { namedFiles } from './project-content.ts';
import type { GitRefusalCode } from './refusals.ts';
import { parseStatus } from './status.ts';
import { parseWorktrees } from './worktree-list.ts';

test('every code of a refusal stands in the one table', () => {
  const codes: Record<GitRefusalCode, true> = {
    'git/missing': true,
    'git/not-a-repository': true,
    'git/no-commits': true,
    'git/unknown-ref': true,
    'git/branch-in-use': true,
    'git/invalid-name': true,
    'git/unsafe-removal': true,
    'git/failed': true,
    'git/timeout': true,
    'project/untrusted': true,
    'project/invalid': true,
    'project/setup-failed': true,
    'disk/full': true,
    'disk/read-only': true,
  };
  expect(Object.keys(codes).filter((code) => !(code in errorCodes))).toEqual([]);
});

describe('printable', () => {
  test('takes what moves the cursor, hides or turns text around', () => {
    expect(printable('a\u001b[2Jb\nc\u202ed\u200be\u009bf\ud800g')).toBe('a?[2Jb?c?d?e?f?g');
    expect(printable('ünï 💥')).toBe('ünï 💥');
  });

  test('cuts by characters, never inside one', () => {
    expect(printable('💥'.repeat(10), 4)).toBe('💥💥💥…');
    expect(printable('x'.repeat(10_000_000), 5)).toBe('xxxx…');
  });

  test('lists, counts and quotes', () => {
    expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c', 'd'])]).toEqual([
      '',
      '"a"',
      '"a" and "b"',
      '"a", "b", "c" and 1 more',
    ]);
    expect([counted(0, 'file'), counted(1, 'file'), counted(2, 'file'), quoted('x"y')]).toEqual([
      '0 files',
      '1 file',
      '2 files',
      '"x"y"',
    ]);
  });
});

test('paths that stay where they start', () => {
  expect(['a', 'a/b', '.env', '..a', 'a..b', '-x'].filter((path) => !isPlainRelative(path))).toEqual([]);
  const bad = ['', '/', '/a', '..', '../a', 'a/..', 'a/../b', './a', 'a//b', 'a/', '.git', 'a/.GIT/b', 'a\0', 'a\\b'];
  expect(bad.filter(isPlainRelative)).toEqual([]);
});

test('words of commands that may be files', () => {
  expect(
    namedFiles('FOO=1 sh ./scripts/a.sh --config=b.json && (cat "c d"; ../out.sh) | /root/e.sh >f', '/root'),
  ).toEqual(
    [
      '--config',
      '--config=b.json',
      '1',
      '&&',
      'FOO',
      'FOO=1',
      'b.json',
      'c',
      'cat',
      'd',
      'e.sh',
      'f',
      'scripts/a.sh',
      'sh',
    ].filter((word) => word !== '&&'),
  );
  expect(namedFiles(['sh', './/a b.sh', '/elsewhere/x', '.git/config', '..'], '/root')).toEqual(['a b.sh', 'sh']);
});

test('a status with every kind of record and spaces everywhere', () => {
  const records = [
    '# branch.oid abc',
    '1 .M N... 100644 100644 100644 aaa bbb a b.txt',
    '2 R. N... 100644 100644 100644 aaa bbb R100 new name',
    'old name',
    'u UU N... 100644 100644 100644 100644 aaa bbb ccc both ways',
    '? un known',
    '! ig nored/',
    '',
  ];
  expect(parseStatus(records.join('\0'))).toEqual({
    changed: ['a b.txt', 'new name'],
    conflicted: ['both ways'],
    untracked: ['un known'],
    ignored: ['ig nored/'],
  });
  expect(parseStatus('')).toEqual({ changed: [], conflicted: [], untracked: [], ignored: [] });
});

test('worktrees, with either end of line', () => {
  const lines = [
    'worktree /a',
    'HEAD 1',
    'branch refs/heads/x/y',
    '',
    'worktree /b c',
    'HEAD 2',
    'detached',
    'locked why not',
    '',
    'worktree /bare',
    'bare',
    'locked',
    '',
    '',
  ];
  const expected = [
    { path: '/a', head: '1', branch: 'x/y', locked: null },
    { path: '/b c', head: '2', branch: null, locked: 'why not' },
    { path: '/bare', head: null, branch: null, locked: '' },
  ];
  expect(parseWorktrees(lines.join('\n'), '\n')).toEqual(expected);
  expect(parseWorktrees(lines.join('\0'), '\0')).toEqual(expected);
});

test('numbers of a diff that do not fit their records are left out', () => {
  expect(parseStat('')).toEqual([]);
  expect(parseStat(':100644 100644 a b M\0f\0' + '3\t1\tother\0' + 'nonsense\0')).toEqual([
    { path: 'f', renamedFrom: null, change: 'modified', added: 0, removed: 0, isBinary: false },
  ]);
});
