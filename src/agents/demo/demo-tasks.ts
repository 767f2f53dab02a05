/** One session of the demo fleet. */
export interface DemoTask {
  title: string;
  name: string;
  /** Empty: the session starts ready and waits to be told something. */
  prompt: string;
  scenario: string;
  /** Extra arguments of the demo agent that choose the scenario. */
  argv: readonly string[];
  tab: number;
}

/**
 * The fleet of `concert demo start`. Together they play every state within 40 s of their start:
 * blocked (checkout-tax, rate-limits), failed (e2e-mobile), review (fix-flaky-login), parked (release-notes), unknown
 * and done (logo-fix), ready (refactor-cart), working all along (search-index).
 */
export const demoTasks: readonly DemoTask[] = [
  task(1, 'checkout-tax', 'Charge EU VAT at checkout', 'Charge EU VAT at checkout and cover it with tests.'),
  task(2, 'search-index', 'Rebuild the search index', 'Rebuild the search index shard by shard, without downtime.'),
  task(
    3,
    'fix-flaky-login',
    'Fix the flaky login test',
    'The login test fails now and then on CI. Find out why, fix it.',
  ),
  task(4, 'logo-fix', 'Centre the logo', 'The mark in the logo sits too low. Centre it.'),
  task(5, 'release-notes', 'Write the release notes', 'Write the notes of the next release; date it when CI is green.'),
  task(6, 'rate-limits', 'Limit requests per caller', 'Callers behind one proxy share a rate limit. Change that.'),
  task(7, 'refactor-cart', 'Refactor the cart', ''),
  task(9, 'e2e-mobile', 'Run the mobile journeys', 'Run the mobile journeys on the emulator and fix what breaks.'),
];

function task(tab: number, name: string, title: string, prompt: string): DemoTask {
  return { title, name, prompt, scenario: name, argv: ['--scenario', name], tab };
}
