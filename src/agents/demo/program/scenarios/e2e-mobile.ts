import { scenario } from '../scenario.ts';

/** Fails after some 17 s; `retry` makes it pass. */
export const e2eMobile = scenario('e2e-mobile', [
  { do: 'plan', items: ['Boot the emulator', 'Run the journeys', 'Commit'] },
  { do: 'say', text: 'I boot the emulator and run the checkout journey on it.' },
  { do: 'read', path: 'test/e2e/mobile.test.js' },
  { do: 'think', ms: 3500, label: 'Booting the emulator' },
  { do: 'test', files: ['test/e2e/mobile.test.js'] },
  { do: 'say', text: 'The emulator does not answer. I try again.' },
  { do: 'think', ms: 3000, label: 'Booting the emulator, retry 1 of 2' },
  { do: 'test', files: ['test/e2e/mobile.test.js'] },
  { do: 'think', ms: 3000, label: 'Booting the emulator, retry 2 of 2' },
  { do: 'fail', message: 'emulator did not boot, 2 retries' },
  { do: 'think', ms: 2500, label: 'Booting the emulator with a fresh image' },
  { do: 'edit', path: '.emulator/state.json', content: '{ "booted": true, "image": "fresh" }\n' },
  { do: 'tick' },
  { do: 'test', files: ['test/e2e/mobile.test.js'] },
  { do: 'tick' },
  { do: 'commit', message: 'Boot the emulator from a fresh image' },
  { do: 'tick' },
  { do: 'say', text: 'With a fresh image it boots, and the journey passes.' },
]);
