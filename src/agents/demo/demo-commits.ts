import { demoMarker } from './demo-repository.ts';

/** The history of the throwaway repository, oldest first: what each commit says and the files it writes. */
export const demoCommits: readonly { message: string; files: Readonly<Record<string, string>> }[] = [
  {
    message: 'Start the shop API',
    files: {
      [demoMarker]:
        'Throwaway repository of the Concertmaster demo. Simulated agents work here; delete it whenever you like.\n',
      '.gitignore': 'node_modules/\n',
      'README.md': `# shop-api

A small shop, made up for the Concertmaster demo. Nothing here is real but the tests.

    node --test test/*.test.js

One of them fails on purpose, and so does the one in test/e2e: simulated agents are on it.
`,
      'package.json': `${JSON.stringify(
        { name: 'shop-api', private: true, type: 'module', scripts: { test: 'node --test test/*.test.js' } },
        null,
        2,
      )}\n`,
      'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n## 1.3.0\n\n- Carts.\n',
    },
  },
  {
    message: 'Add the cart',
    files: {
      'src/cart.js': `/** Price of all items in cents. */
export function subtotal(items) {
  return items.reduce((sum, { cents, quantity }) => sum + cents * quantity, 0);
}

/** What the customer pays, in cents. */
export function total(cart) {
  return subtotal(cart.items) - (cart.discountCents ?? 0);
}
`,
      'test/cart.test.js': `import assert from 'node:assert/strict';
import test from 'node:test';
import { subtotal, total } from '../src/cart.js';

test('an empty cart costs nothing', () => {
  assert.equal(total({ items: [] }), 0);
});

test('adds up prices and quantities', () => {
  assert.equal(subtotal([{ cents: 250, quantity: 2 }, { cents: 999, quantity: 1 }]), 1499);
});

test('takes the discount off once', () => {
  assert.equal(total({ discountCents: 500, items: [{ cents: 1500, quantity: 1 }] }), 1000);
});
`,
      'assets/logo.svg': `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <rect width="32" height="32" rx="8" />
  <g transform="translate(0 2)"><circle cx="16" cy="16" r="7" fill="#fff" /></g>
</svg>
`,
      'test/logo.test.js': `import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

test('the logo is an SVG with a view box', () => {
  assert.match(readFileSync(new URL('../assets/logo.svg', import.meta.url), 'utf8'), /^<svg .*viewBox="0 0 32 32"/);
});
`,
    },
  },
  {
    message: 'Add login sessions',
    files: {
      'src/login.js': `const sessions = new Map();

/** Opens a session and gives its token. Times are ms. */
export function open(user, now = Date.now()) {
  const token = \`\${user}-\${now}\`;
  sessions.set(token, { user, openedAt: now });
  return token;
}

export function close(token) {
  sessions.delete(token);
}

/** A session is good for an hour. */
export function isOpen(token, now = Date.now()) {
  const session = sessions.get(token);
  return session !== undefined && now - session.openedAt < 3_600_000;
}
`,
      'test/login.test.js': `import assert from 'node:assert/strict';
import test from 'node:test';
import { close, isOpen, open } from '../src/login.js';

test('a session is open after login', () => {
  assert.equal(isOpen(open('ada')), true);
});

test('a session ends after an hour', () => {
  assert.equal(isOpen(open('ada', 0), 3_600_000), false);
});

test('an unknown token opens nothing', () => {
  assert.equal(isOpen('made-up'), false);
});

test('two logins of one user do not end each other', () => {
  const [desk, phone] = [open('ada', 1000), open('ada', 1000)];
  close(desk);
  assert.equal(isOpen(phone, 1001), true);
});
`,
    },
  },
  {
    message: 'Limit requests per address',
    files: {
      'src/rate-limit.js': `/** Lets \`perMinute\` requests of each address through in each minute. */
export function createLimiter({ perMinute, now = Date.now }) {
  const windows = new Map();
  return (request) => {
    const caller = request.address;
    const minute = Math.floor(now() / 60_000);
    const window = windows.get(caller);
    const count = window?.minute === minute ? window.count + 1 : 1;
    windows.set(caller, { minute, count });
    return count <= perMinute;
  };
}
`,
      'test/rate-limit.test.js': `import assert from 'node:assert/strict';
import test from 'node:test';
import { createLimiter } from '../src/rate-limit.js';

test('lets the first requests through and stops the next', () => {
  const allows = createLimiter({ perMinute: 2, now: () => 0 });
  const request = { address: '10.0.0.1' };
  assert.deepEqual([allows(request), allows(request), allows(request)], [true, true, false]);
});

test('begins anew after a minute', () => {
  let now = 0;
  const allows = createLimiter({ perMinute: 1, now: () => now });
  assert.equal(allows({ address: '10.0.0.1' }), true);
  now = 60_000;
  assert.equal(allows({ address: '10.0.0.1' }), true);
});
`,
      'db/staging.json': `${JSON.stringify({ tables: { orders: { id: 'integer', total_cents: 'integer' } } }, null, 2)}\n`,
      'db/migrations/0041-orders.json': '{ "table": "orders", "add": { "id": "integer", "total_cents": "integer" } }\n',
      'scripts/migrate.js': `import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { env } = parseArgs({ options: { env: { type: 'string', default: 'local' } } }).values;
const database = new URL(\`../db/\${env}.json\`, import.meta.url);
const migrations = new URL('../db/migrations/', import.meta.url);

const { tables } = JSON.parse(readFileSync(database, 'utf8'));
for (const name of readdirSync(migrations).sort()) {
  const { table, add } = JSON.parse(readFileSync(new URL(name, migrations), 'utf8'));
  tables[table] = { ...tables[table], ...add };
  console.log(\`\${env}: applied \${name}\`);
}
writeFileSync(database, \`\${JSON.stringify({ tables }, null, 2)}\\n\`);
`,
    },
  },
  {
    message: 'Search the docs',
    files: {
      'docs/shipping.md': 'Shipping takes two days inside the country and five across the border.\n',
      'docs/returns.md': 'Send a parcel back within thirty days and the money returns within five.\n',
      'docs/accounts.md': 'An account keeps orders, invoices and the keys of the API.\n',
      'src/search.js': `import { existsSync, readFileSync } from 'node:fs';

/** The shard a word belongs to, from 1. */
export function shardOf(word, shards) {
  let sum = 0;
  for (const character of word) sum = (sum * 31 + character.codePointAt(0)) % 65_521;
  return 1 + (sum % shards);
}

export function wordsOf(text) {
  return [...new Set(text.toLowerCase().match(/[a-z]+/g) ?? [])];
}

/** Pages that hold the word; none while its shard is not built. */
export function find(word, shards = 8) {
  const file = new URL(\`../data/shards/\${shardOf(word, shards)}.json\`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8'))[word] ?? []) : [];
}
`,
      'scripts/build-shard.js': `import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { shardOf, wordsOf } from '../src/search.js';

const [shard, shards] = process.argv.slice(2).map(Number);
const docs = new URL('../docs/', import.meta.url);
const index = {};
for (const page of readdirSync(docs).sort())
  for (const word of wordsOf(readFileSync(new URL(page, docs), 'utf8')))
    if (shardOf(word, shards) === shard) (index[word] ??= []).push(page);
const folder = new URL('../data/shards/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL(\`\${shard}.json\`, folder), \`\${JSON.stringify(index, null, 2)}\\n\`);
console.log(\`shard \${shard} of \${shards}: \${Object.keys(index).length} words\`);
`,
      'test/search.test.js': `import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { find, shardOf, wordsOf } from '../src/search.js';

test('takes words apart', () => {
  assert.deepEqual(wordsOf('Two days, two parcels.'), ['two', 'days', 'parcels']);
});

test('a built shard finds its words', () => {
  const isBuilt = existsSync(new URL(\`../data/shards/\${shardOf('parcel', 8)}.json\`, import.meta.url));
  assert.deepEqual(find('parcel'), isBuilt ? ['returns.md'] : []);
});

test('a word nobody wrote is nowhere', () => {
  assert.deepEqual(find('zeppelin'), []);
});
`,
      '.emulator/state.json': '{ "booted": false }\n',
      'test/e2e/mobile.test.js': `import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const emulator = JSON.parse(readFileSync(new URL('../../.emulator/state.json', import.meta.url), 'utf8'));

test('the emulator boots', () => {
  assert.equal(emulator.booted, true, 'emulator did not boot');
});

test('a customer checks out on a phone', { skip: !emulator.booted }, () => {
  assert.ok(emulator.image);
});
`,
    },
  },
];
