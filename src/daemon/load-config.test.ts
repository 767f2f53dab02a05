import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { loadConfig } from './load-config.ts';

test('the environment wins over the file, the file over the default, and each value knows its source', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'config.json');
  writeFileSync(path, JSON.stringify({ slots: 5, prefix: 'ctrl+b' }));
  const loaded = loadConfig(path, { CONCERT_SLOTS: '7', CONCERT_HOLDER_RETAIN_MIB: '8' });
  expect(loaded.ok && [loaded.value.config, loaded.value.sources]).toEqual([
    {
      slots: 7,
      'holder.sessionsMax': 16,
      'holder.retainMiB': 8,
      'holder.capMiB': 256,
      'screen.workers': 2,
      'session.memoryMaxMiB': null,
      prefix: 'ctrl+b',
      'env.allow': [],
    },
    {
      slots: { source: 'environment', origin: 'CONCERT_SLOTS' },
      'holder.sessionsMax': { source: 'default', origin: 'default' },
      'holder.retainMiB': { source: 'environment', origin: 'CONCERT_HOLDER_RETAIN_MIB' },
      'holder.capMiB': { source: 'default', origin: 'default' },
      'screen.workers': { source: 'default', origin: 'default' },
      'session.memoryMaxMiB': { source: 'default', origin: 'default' },
      prefix: { source: 'user file', origin: path },
      'env.allow': { source: 'default', origin: 'default' },
    },
  ]);
});

test.each([
  [
    '{"slot": 3}',
    'Unknown setting "slot" in PATH: did you mean "slots"?; the daemon did not start, running sessions go on',
  ],
  ['{"slots": 0}', /^Setting "slots" in PATH is not usable: /],
  ['[1]', 'The settings in "PATH" must be one JSON object'],
  ['{"slots": 3', /^The settings in "PATH" are not JSON: /],
])('a file that says %s is refused with a sentence', (content, sentence) => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'config.json');
  writeFileSync(path, content);
  const loaded = loadConfig(path, {});
  expect(loaded.ok).toBe(false);
  const message = loaded.ok ? '' : loaded.message.replaceAll(path, 'PATH');
  if (typeof sentence === 'string') expect(message).toBe(sentence);
  else expect(message).toMatch(sentence);
});
