import { scenario } from '../scenario.ts';

/** Blocked on a permission after some 8 s; what it does next depends on the answer. */
export const checkoutTax = scenario('checkout-tax', [
  {
    do: 'plan',
    items: ['Read how the cart adds up', 'Add the tax table', 'Test it', 'Migrate staging', 'Commit'],
  },
  { do: 'say', text: 'I look at how the cart adds up today before I put the tax beside it.' },
  { do: 'read', path: 'src/cart.js' },
  { do: 'tick' },
  {
    do: 'edit',
    path: 'src/tax.js',
    content: `/** VAT by country, as of this year. */
export const rates = { DE: 0.19, FR: 0.2, IE: 0.23, NL: 0.21 };

/** Tax on an amount in cents; nothing for a country we do not sell to. */
export function taxFor(country, cents) {
  return Math.round(cents * (rates[country] ?? 0));
}
`,
  },
  {
    do: 'edit',
    path: 'src/cart.js',
    from: `  return subtotal(cart.items) - (cart.discountCents ?? 0);`,
    to: `  const net = subtotal(cart.items) - (cart.discountCents ?? 0);
  return net + taxFor(cart.country, net);`,
  },
  {
    do: 'edit',
    path: 'src/cart.js',
    from: `/** Price of all items in cents. */`,
    to: `import { taxFor } from './tax.js';

/** Price of all items in cents. */`,
  },
  { do: 'tick' },
  {
    do: 'edit',
    path: 'test/tax.test.js',
    content: `import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { total } from '../src/cart.js';
import { taxFor } from '../src/tax.js';

test('adds the tax of the country', () => {
  assert.equal(taxFor('DE', 1000), 190);
  assert.equal(taxFor('IE', 1000), 230);
});

test('rounds to a cent', () => {
  assert.equal(taxFor('NL', 333), 70);
});

test('charges tax on what is left after the discount', () => {
  const cart = { country: 'FR', discountCents: 500, items: [{ cents: 1500, quantity: 1 }] };
  assert.equal(total(cart), 1200);
});

test('orders know their tax region', () => {
  const { tables } = JSON.parse(readFileSync(new URL('../db/staging.json', import.meta.url)));
  assert.ok('tax_region' in tables.orders);
});
`,
  },
  {
    do: 'edit',
    path: 'db/migrations/0042-tax-region.json',
    content: `{ "table": "orders", "add": { "tax_region": "text" } }\n`,
  },
  { do: 'test', files: ['test/tax.test.js'] },
  { do: 'say', text: 'Three tests pass. The last one reads a column that staging does not have yet.' },
  { do: 'tick' },
  {
    do: 'ask-permission',
    command: 'node scripts/migrate.js --env staging',
    why: 'Changes the staging database. It adds orders.tax_region, which the new test reads.',
    yes: [
      { do: 'run', argv: ['node', 'scripts/migrate.js', '--env', 'staging'] },
      { do: 'tick' },
      { do: 'test', files: ['test/tax.test.js', 'test/cart.test.js'] },
      { do: 'commit', message: 'Charge VAT at checkout' },
      { do: 'tick' },
      { do: 'say', text: 'Checkout charges VAT now. Staging is migrated and every test passes.' },
    ],
    no: [
      { do: 'say', text: 'Staging stays as it is. I leave the test of the column out until somebody migrates it.' },
      {
        do: 'edit',
        path: 'test/tax.test.js',
        from: `test('orders know their tax region', () => {`,
        to: `test('orders know their tax region', { skip: 'waits for migration 0042' }, () => {`,
      },
      { do: 'tick' },
      { do: 'test', files: ['test/tax.test.js', 'test/cart.test.js'] },
      { do: 'commit', message: 'Charge VAT at checkout, migration to follow' },
      { do: 'tick' },
      { do: 'say', text: 'Checkout charges VAT now. Migration 0042 is in the branch and has not been run.' },
    ],
  },
]);
