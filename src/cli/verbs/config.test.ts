import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Concert } from '../../../test/support/concert.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { ConfigDocument, configSchema } from '../../protocol/index.ts';
import { defaultPrefix } from '../attach/read-prefix.ts';

let folder: ReturnType<typeof temporaryFolder>;
let concert: Concert;
let file: string;

beforeEach(() => {
  folder = temporaryFolder();
  concert = new Concert(`${folder.path}/home`);
  file = concert.home.configFile;
});
afterEach(() => folder[Symbol.dispose]());

const write = (text: string) => {
  mkdirSync(concert.folder, { recursive: true });
  writeFileSync(file, text);
};

test('what is set can be got, explained and found in the file', async () => {
  expect(await concert.run('config', 'get', 'slots')).toEqual({ exit: 0, out: '16\n', err: '' });
  expect(await concert.run('config', 'set', 'slots', '8')).toMatchObject({ exit: 0, out: 'slots = 8\n' });
  await concert.run('config', 'set', 'prefix', 'ctrl+a');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ slots: 8, prefix: 'ctrl+a' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await concert.run('config', 'get', 'prefix')).out).toBe('ctrl+a\n');
  expect((await concert.run('config', 'explain', 'slots')).out).toContain(`slots = 8   from user file (${file})`);
  expect((await concert.run('config')).out).toContain('slots = 8\n');
});

test('the environment wins over the file and is named', async () => {
  write('{"slots": 8}');
  concert.env['CONCERT_SLOTS'] = '3';
  const { out } = await concert.run('config', 'explain', '--json');
  const document = ConfigDocument.parse(JSON.parse(out));
  expect(document.items.map(({ key }) => key)).toEqual(Object.keys(configSchema));
  expect(document.items[0]).toEqual({
    key: 'slots',
    value: 3,
    source: 'environment',
    origin: 'CONCERT_SLOTS',
    default: 16,
    variable: 'CONCERT_SLOTS',
    description: configSchema.slots.description,
  });
  expect((await concert.run('config', 'set', 'slots', '4')).err).toBe('CONCERT_SLOTS is set and wins over the file\n');
});

test.each([
  [['config', 'set', 'slot', '8'], 'did you mean "slots"'],
  [['config', 'get', 'prefixx'], 'did you mean "prefix"'],
  [['config', 'set', 'slots', 'many'], '"slots"'],
  [['config', 'set', 'prefix', 'alt+x'], '"prefix"'],
  [['config', 'set', 'slots'], 'Name a setting'],
  [['config', 'frobnicate'], 'Say get, set, edit or explain'],
  [['config', 'edit'], 'needs a terminal'],
])('%j is refused and changes nothing', async (argv, words) => {
  const { exit, err } = await concert.run(...argv);
  expect({ exit, err }).toEqual({ exit: 2, err: expect.stringContaining(words) });
  expect(existsSync(file)).toBe(false);
});

test.each([
  ['{\n  "slots": 8,\n}\n', 'Line 3 of'],
  ['{\n  "slots": 8\n', 'is not JSON'],
  ['[1]', 'must be one JSON object'],
  ['{"slot": 8}', 'did you mean "slots"'],
])('a file such as %j is told and left as it is', async (text, words) => {
  write(text);
  for (const argv of [
    ['config', 'get'],
    ['config', 'set', 'slots', '4'],
  ]) {
    const { exit, err } = await concert.run(...argv);
    expect({ exit, err }).toEqual({ exit: 2, err: expect.stringContaining(words) });
  }
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('the prefix an attach takes without reading the schema is the schema default', () => {
  expect(configSchema.prefix.parse(undefined)).toBe(defaultPrefix);
});
