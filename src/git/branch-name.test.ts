import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validateBranchName } from './branch-name.ts';

function gitAccepts(name: string): boolean {
  return spawnSync('git', ['check-ref-format', '--branch', name], { cwd: tmpdir() }).status === 0;
}

test.each([
  'main',
  'feature/x',
  'a.b',
  'ünïcode/💥',
  'a@b',
  'HEAD/x',
  'refs/heads/x',
  '',
  'HEAD',
  '-x',
  '--upload-pack=touch x',
  '-oProxyCommand=x',
  '$(touch',
  'a b',
  'a\nb',
  'a..b',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[b',
  'a\\b',
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.b',
  'a.',
  'a./b',
  'a.lock',
  'a.lock/b',
  '@{-1}',
  'a@{b',
  'a\u007fb',
  '../..',
])('%j is judged as git judges it', (name) => {
  expect(validateBranchName(name).ok).toBe(gitAccepts(name));
});

test('any name is judged as git judges it', () => {
  const odd = fc.constantFrom(
    '/',
    '.',
    '..',
    '@',
    '@{',
    '{',
    '-',
    '.lock',
    'lock',
    '~',
    '^',
    ':',
    ' ',
    '\\',
    'HEAD',
    'a',
    'é',
    '\u007f',
    '\t',
  );
  const name = fc.oneof(
    fc.array(odd, { maxLength: 6 }).map((parts) => parts.join('')),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
  );
  fc.assert(
    fc.property(
      name.filter((text) => !text.includes('\0') && text !== '@'),
      (text) => validateBranchName(text).ok === gitAccepts(text),
    ),
    { numRuns: 400 },
  );
});

test.each([
  ['a\0b', 'a control character'],
  ['x'.repeat(251), 'too long for a file name'],
  [`${'x/'.repeat(600)}x`, 'too long'],
  ['a\ud800b', 'not valid Unicode'],
  ['@', 'keeps that word for itself'],
])('refuses what git could not store or would take for another: %#', (name, why) => {
  const result = validateBranchName(name);
  expect(result).toMatchObject({ ok: false, code: 'git/invalid-name' });
  expect(result.ok || result.message).toContain(why);
});
