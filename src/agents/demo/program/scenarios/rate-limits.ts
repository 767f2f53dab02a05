import { type Step, scenario } from '../scenario.ts';

/** Blocked on a question after some 10 s; the answer goes into the code. */
export const rateLimits = scenario('rate-limits', [
  { do: 'plan', items: ['Read the limiter', 'Decide what is counted', 'Change it', 'Test it', 'Commit'] },
  { do: 'think', ms: 1500, label: 'Reading the task' },
  { do: 'say', text: 'The limiter counts by address today. Customers behind one proxy share a limit that way.' },
  { do: 'read', path: 'src/rate-limit.js' },
  { do: 'read', path: 'test/rate-limit.test.js' },
  { do: 'tick' },
  { do: 'think', ms: 3000, label: 'Comparing two ways to count' },
  {
    do: 'ask-question',
    question: 'Limit per API key or per account?',
    options: [
      { label: 'Per API key', steps: counting('request.apiKey', 'API key') },
      { label: 'Per account, all its keys together', steps: counting('request.accountId', 'account') },
      {
        label: 'Per account, and a smaller limit per key',
        steps: [
          { do: 'say', text: 'Two limits need two counters. I begin with the account; the keys are a second change.' },
          ...counting('request.accountId', 'account'),
        ],
      },
    ],
  },
]);

function counting(field: string, word: string): Step[] {
  return [
    { do: 'tick' },
    { do: 'edit', path: 'src/rate-limit.js', from: 'request.address', to: field },
    { do: 'edit', path: 'src/rate-limit.js', from: 'each address', to: `each ${word}` },
    { do: 'tick' },
    {
      do: 'edit',
      path: 'test/rate-limit.test.js',
      content: `import assert from 'node:assert/strict';
import test from 'node:test';
import { createLimiter } from '../src/rate-limit.js';

const from = (caller, address = '10.0.0.1') => ({ address, apiKey: caller, accountId: caller });

test('lets the first requests through and stops the next', () => {
  const allows = createLimiter({ perMinute: 2, now: () => 0 });
  assert.deepEqual([allows(from('a')), allows(from('a')), allows(from('a'))], [true, true, false]);
});

test('counts each ${word} on its own, even behind one address', () => {
  const allows = createLimiter({ perMinute: 1, now: () => 0 });
  assert.deepEqual([allows(from('a')), allows(from('b')), allows(from('a'))], [true, true, false]);
});

test('does not care where a caller comes from', () => {
  const allows = createLimiter({ perMinute: 1, now: () => 0 });
  assert.deepEqual([allows(from('a', '10.0.0.1')), allows(from('a', '10.0.0.2'))], [true, false]);
});

test('begins anew after a minute', () => {
  let now = 0;
  const allows = createLimiter({ perMinute: 1, now: () => now });
  assert.equal(allows(from('a')), true);
  now = 60_000;
  assert.equal(allows(from('a')), true);
});
`,
    },
    { do: 'test', files: ['test/rate-limit.test.js'] },
    { do: 'tick' },
    { do: 'commit', message: `Limit requests per ${word}` },
    { do: 'tick' },
    { do: 'say', text: `Requests are limited per ${word} now.` },
  ];
}
