import { expect, test } from 'vitest';
import { inScope } from './agent-scope.ts';

test('an agent and all it starts share one scope, limited when asked', () => {
  const options = { session: 's_1', incarnation: 2, memoryMaxMiB: null };
  const start = ['systemd-run', '--user', '--scope', '--quiet', '--collect', '--unit=concert-agent-s_1-2'];
  expect(inScope(['claude', '--flag'], options)).toEqual([...start, '--', 'claude', '--flag']);
  expect(inScope(['claude'], { ...options, memoryMaxMiB: 512 })).toEqual([
    ...start,
    '--property',
    'MemoryMax=512M',
    '--',
    'claude',
  ]);
});
