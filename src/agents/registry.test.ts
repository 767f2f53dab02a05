import { expect, test } from 'vitest';
import { createAgents, findAgent } from './registry.ts';

const agents = createAgents({ demo: { nodePath: '/node', entry: '/demo-agent.js' } });

test('knows its agents by id', () => {
  expect([...agents].map(([id, agent]) => [id, agent.id, agent.isSimulated])).toEqual([
    ['generic', 'generic', false],
    ['demo', 'demo', true],
  ]);
  expect(findAgent(agents, 'demo')).toEqual({ ok: true, value: agents.get('demo') });
});

test('an unknown id is refused with the known ones', () => {
  expect(findAgent(agents, 'clod\x1b[2J')).toEqual({
    ok: false,
    code: 'agent/unknown',
    message: 'No agent is called "clod\\u001b[2J": this version knows demo, generic',
  });
});
