import { expect, test } from 'vitest';
import { demoTasks } from '../demo-tasks.ts';
import { parseScenario } from './scenario.ts';
import { readyMade } from './scenarios/ready-made.ts';

test('every ready-made scenario reads back from its JSON', () => {
  for (const scenario of readyMade.values())
    expect(parseScenario(JSON.parse(JSON.stringify(scenario)), '')).toEqual(scenario);
});

test('every task of the demo fleet has its scenario', () => {
  expect(demoTasks.map(({ scenario }) => readyMade.get(scenario)?.name)).toEqual(demoTasks.map(({ name }) => name));
  expect(new Set(demoTasks.map(({ tab }) => tab)).size).toBe(demoTasks.length);
});

const deep = (levels: number): unknown => ({ do: 'repeat', times: 1, steps: levels === 0 ? [] : [deep(levels - 1)] });

test.each([
  [[], 'scenario: not an object'],
  [{}, 'scenario.steps: must be a list'],
  [{ steps: [], colour: 1 }, 'scenario: unknown field "colour"'],
  [{ steps: [], screen: 'wide' }, 'scenario.screen: must be one of tui, plain'],
  [{ steps: ['say'] }, 'steps[0]: not an object'],
  [{ steps: [{ do: 'dance' }] }, 'steps[0]: no step does "dance"'],
  [{ steps: [{ do: 'think', ms: '5' }] }, 'steps[0].ms: must be a number from 0'],
  [
    {
      steps: [
        { do: 'say', text: 'a' },
        { do: 'say', text: 7 },
      ],
    },
    'steps[1].text: must be text',
  ],
  [{ steps: [{ do: 'edit', path: 'a' }] }, 'steps[0].from: must be text'],
  [{ steps: [{ do: 'repeat', times: 'often', steps: [] }] }, 'steps[0].times: must be a number from 0'],
  [
    { steps: [{ do: 'ask-question', question: 'q', options: [{ label: 'l', steps: [{ do: 'x' }] }] }] },
    'steps[0].options[0].steps[0]: no step does "x"',
  ],
  [{ steps: [deep(9)] }, /nested deeper than 8$/],
  [{ steps: Array.from({ length: 10_001 }, () => ({ do: 'tick' })) }, 'steps: more than 10000 steps'],
])('refuses %j', (json, message) => {
  expect(() => parseScenario(json, 'bad')).toThrow(message);
});
