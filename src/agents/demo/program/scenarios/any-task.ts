import { scenario } from '../scenario.ts';

/** For a prompt nobody prepared: a small turn that ends in review. */
export const anyTask = scenario('any-task', [
  { do: 'plan', items: ['Read the code', 'Write it down', 'Run the tests', 'Commit'] },
  { do: 'think', ms: 1500, label: 'Thinking about it' },
  { do: 'say', text: 'I am a simulated agent: whatever the task, I note it in NOTES.md, run the tests and commit.' },
  { do: 'read', path: 'src/cart.js' },
  { do: 'tick' },
  { do: 'edit', path: 'NOTES.md', append: '- {prompt}\n' },
  { do: 'tick' },
  { do: 'test', files: ['test/cart.test.js'] },
  { do: 'tick' },
  { do: 'commit', message: 'Note what was asked' },
  { do: 'tick' },
  { do: 'say', text: 'Noted and committed.' },
]);
