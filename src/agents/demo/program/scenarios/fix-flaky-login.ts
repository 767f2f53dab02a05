import { scenario } from '../scenario.ts';

/** A test that fails, a fix, tests that pass: review after some 20 s. */
export const fixFlakyLogin = scenario('fix-flaky-login', [
  { do: 'plan', items: ['See it fail', 'Find the cause', 'Fix it', 'Run all tests', 'Commit'] },
  { do: 'say', text: 'First I want to see it fail.' },
  { do: 'test', files: ['test/login.test.js'] },
  { do: 'tick' },
  { do: 'read', path: 'src/login.js' },
  { do: 'think', ms: 3500, label: 'Looking for what is shared between two logins' },
  {
    do: 'say',
    text: 'A token is made of the user and the clock. Two logins in the same millisecond get the same token, so the second one ends the first. That is why it fails only on fast machines.',
  },
  { do: 'tick' },
  {
    do: 'edit',
    path: 'src/login.js',
    from: `  const token = \`\${user}-\${now}\`;`,
    to: `  const token = \`\${user}-\${now}-\${counter++}\`;`,
  },
  {
    do: 'edit',
    path: 'src/login.js',
    from: `const sessions = new Map();`,
    to: `const sessions = new Map();
/** Tells logins of the same millisecond apart. */
let counter = 0;`,
  },
  { do: 'tick' },
  { do: 'test', files: ['test/login.test.js'] },
  { do: 'think', ms: 1500, label: 'Running everything that touches sessions' },
  { do: 'test', files: ['test/login.test.js', 'test/cart.test.js', 'test/rate-limit.test.js'] },
  { do: 'tick' },
  { do: 'commit', message: 'Give every login a token of its own' },
  { do: 'tick' },
  { do: 'say', text: 'The flaky test was right: two logins could share a token. Fixed and committed.' },
]);
