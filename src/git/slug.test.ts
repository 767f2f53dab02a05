import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validateBranchName } from './branch-name.ts';
import { isSlug, projectSlug, slugLengthMax, toSlug, withSuffix } from './slug.ts';

test.each([
  ['Fix the login!', 'fix-the-login'],
  ['  ÜBER  café\n', 'uber-cafe'],
  ['--upload-pack=touch x', 'upload-pack-touch-x'],
  ['$(touch x)', 'touch-x'],
  ['../..', `session-${toSlug('../..').slice(-6)}`],
  ['', 'session'],
  ['.lock', 'lock'],
  ['@{-1}', '1'],
  ['a'.repeat(100), 'a'.repeat(slugLengthMax)],
  [`${'a'.repeat(39)} b`, 'a'.repeat(39)],
])('%j becomes %s', (text, slug) => {
  expect(toSlug(text)).toBe(slug);
});

test('two texts of another script differ, and each is the same every time', () => {
  expect(toSlug('日本語')).not.toBe(toSlug('中文'));
  expect(toSlug('日本語')).toBe(toSlug('日本語'));
});

test('a million characters take no time to speak of', () => {
  const started = performance.now();
  toSlug('é$ '.repeat(333_334));
  expect(performance.now() - started).toBeLessThan(50);
});

test('any text gives a slug, a folder name and a branch name, with any suffix', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.integer({ min: 2, max: 500 }), (text, suffix) => {
      for (const slug of [toSlug(text), withSuffix(toSlug(text), suffix), projectSlug(`/${text}`)]) {
        expect(isSlug(slug)).toBe(true);
        expect(validateBranchName(`concert/${slug}`).ok).toBe(true);
      }
    }),
  );
});

test('projects of one name in two places have two folders', () => {
  expect(projectSlug('/home/a/shop')).not.toBe(projectSlug('/home/b/shop'));
  expect(projectSlug('/srv/shop.git')).toMatch(/^shop-[0-9a-f]{8}$/);
  expect(projectSlug('/home/a/shop/.git')).toMatch(/^shop-[0-9a-f]{8}$/);
});
