import { scenario } from '../scenario.ts';

/** Meant to be started without a prompt: ready until somebody types one. */
export const refactorCart = scenario('refactor-cart', [
  { do: 'plan', items: ['Read the cart', 'Move discounts out', 'Test it', 'Commit'] },
  { do: 'read', path: 'src/cart.js' },
  { do: 'tick' },
  { do: 'think', ms: 2500, label: 'Looking for what changes together' },
  { do: 'say', text: 'Discounts change more often than the cart. I give them a file of their own.' },
  {
    do: 'edit',
    path: 'src/discount.js',
    content: `/** What a cart is reduced by, in cents; never more than it costs. */
export function discountFor(cart, cents) {
  return Math.min(cart.discountCents ?? 0, cents);
}
`,
  },
  {
    do: 'edit',
    path: 'src/cart.js',
    from: `  return subtotal(cart.items) - (cart.discountCents ?? 0);`,
    to: `  const gross = subtotal(cart.items);
  return gross - discountFor(cart, gross);`,
  },
  {
    do: 'edit',
    path: 'src/cart.js',
    from: `/** Price of all items in cents. */`,
    to: `import { discountFor } from './discount.js';

/** Price of all items in cents. */`,
  },
  { do: 'tick' },
  { do: 'test', files: ['test/cart.test.js'] },
  { do: 'tick' },
  { do: 'commit', message: 'Give discounts a file of their own' },
  { do: 'tick' },
  { do: 'say', text: 'Done. A discount can no longer make a cart cost less than nothing.' },
]);
