import { expect, test } from 'vitest';
import { parseQuickly } from './parse-quickly.ts';
import { parseVerb } from './parse-verb.ts';
import { verbs } from './verbs.ts';

const common = { color: true };

test('verbs that are waited for at the keyboard have a quick form', () => {
  expect(Object.entries(verbs).flatMap(([name, { quick }]) => (quick === undefined ? [] : [name]))).toEqual([
    'attach',
    'ls',
  ]);
});

test.each([
  ['attach', ['3']],
  ['attach', ['fix-login', '--take']],
  ['attach', ['--follow', '3', '--view']],
  ['ls', []],
  ['ls', ['--watch']],
])('concert %s %j means the same either way', async (name, argv) => {
  const row = verbs[name];
  if (row?.quick === undefined) throw new Error(`${name} has no quick form`);
  const { verb } = await row.load();
  const quick = parseQuickly(row.quick, argv);
  const full = parseVerb({ name, row, verb, argv });
  expect(full).toEqual({ ok: true, value: { ...quick, options: { ...quick?.options, ...common } } });
});

test.each([
  [['3', '4']],
  [[]],
  [['3', '--history', '100']],
  [['3', '--tkae']],
  [['--', '3']],
  [['3', '--help']],
  [['-']],
])('%j is left to the library', (argv) => {
  const quick = verbs['attach']?.quick;
  if (quick === undefined) throw new Error('It has no quick form');
  expect(parseQuickly(quick, argv)).toBeNull();
});
