import { scenario } from '../scenario.ts';

/** Stops reporting for some 7 s on the way, and ends by itself after some 25 s. */
export const logoFix = scenario('logo-fix', [
  { do: 'say', text: 'The mark sits two pixels too low. I move it up.' },
  { do: 'read', path: 'assets/logo.svg' },
  { do: 'think', ms: 2500, label: 'Measuring the logo' },
  { do: 'edit', path: 'assets/logo.svg', from: 'translate(0 2)', to: 'translate(0 0)' },
  { do: 'think', ms: 1500, label: 'Drawing it at ten sizes' },
  { do: 'hide', ms: 7000 },
  { do: 'think', ms: 3000, label: 'Comparing the pictures' },
  { do: 'test', files: ['test/logo.test.js'] },
  { do: 'commit', message: 'Centre the mark in the logo' },
  { do: 'say', text: 'The logo is centred. Nothing left to do, so I end here.' },
  { do: 'think', ms: 1500, label: 'Ending' },
  { do: 'exit', code: 0 },
]);
