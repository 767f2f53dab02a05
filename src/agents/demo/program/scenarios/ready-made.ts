import type { Scenario } from '../scenario.ts';
import { anyTask } from './any-task.ts';
import { checkoutTax } from './checkout-tax.ts';
import { e2eMobile } from './e2e-mobile.ts';
import { echo } from './echo.ts';
import { fixFlakyLogin } from './fix-flaky-login.ts';
import { logoFix } from './logo-fix.ts';
import { long } from './long.ts';
import { rateLimits } from './rate-limits.ts';
import { refactorCart } from './refactor-cart.ts';
import { releaseNotes } from './release-notes.ts';
import { searchIndex } from './search-index.ts';

/** Every scenario that comes with the program, by name. */
export const readyMade: ReadonlyMap<string, Scenario> = new Map(
  [
    checkoutTax,
    searchIndex,
    fixFlakyLogin,
    logoFix,
    releaseNotes,
    rateLimits,
    refactorCart,
    e2eMobile,
    anyTask,
    long,
    echo,
  ].map((each) => [each.name, each]),
);
