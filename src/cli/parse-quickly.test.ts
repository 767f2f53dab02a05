import { expect, test } from 'vitest';
import { parseQuickly } from './parse-quickly.ts';
import { parseVerb } from './parse-verb.ts';
import { verbs } from './verbs.ts';

const common = { color: true };

test('verbs that are waited for at the keyboard have a quick form', async () => {
  const quick = await Promise.all(
    Object.entries(verbs).map(async ([name, row]) => ({ name, verb: (await row.load()).verb })),
  );
  expect(quick.flatMap(({ name, verb }) => (verb.quick === undefined ? [] : [name]))).toEqual(['attach', 'ls']);
});

test.each([
  ['attach', ['3']],
  ['attach', ['fix-login', '--take']],
  ['attach', ['--follow', '3', '--view']],
  ['ls', []],
  ['ls', ['--watch']],
])('concert %s %j means the same either way', async (name, argv) => {
  const row = verbs[name];
  if (row === undefined) throw new Error(`No verb ${name}`);
  const { verb } = await row.load();
  if (verb.quick === undefined) throw new Error('It has no quick form');
  const quick = parseQuickly(verb.quick, argv);
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
])('%j is left to the library', async (argv) => {
  const { verb } = (await verbs['attach']?.load()) ?? {};
  if (verb?.quick === undefined) throw new Error('It has no quick form');
  expect(parseQuickly(verb.quick, argv)).toBeNull();
});
