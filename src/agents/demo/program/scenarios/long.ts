import { scenario } from '../scenario.ts';

/** Works without end, for soaks. One file is rewritten again and again, so the folder does not grow. */
export const long = scenario(
  'long',
  [
    { do: 'say', text: 'I work until somebody stops me.' },
    {
      do: 'repeat',
      times: 'forever',
      steps: [
        { do: 'think', ms: 8000, label: 'Thinking about the next round' },
        { do: 'edit', path: 'NOTES.md', content: 'Soaking.\n' },
        { do: 'think', ms: 8000, label: 'Reading what came out' },
        { do: 'edit', path: 'NOTES.md', content: 'Still soaking.\n' },
        { do: 'test', files: ['test/cart.test.js'] },
      ],
    },
  ],
  { startsAlone: true },
);
