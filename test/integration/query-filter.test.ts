import { expect, test } from 'vitest';
import { createQueryFilter } from '../../src/client/index.ts';
import { randomStream } from '../support/screen/random-streams.ts';
import { differences, RawTerminal } from '../support/screen/raw-terminal.ts';

const queries = [
  '\x1b[c',
  '\x1b[>c',
  '\x1b[6n',
  '\x1b[?6n',
  '\x1b[?2026$p',
  '\x1b[4$p',
  '\x1b[>q',
  '\x1b[?u',
  '\x1bP$qm\x1b\\',
  '\x1b[18t',
];

/**
 * A stream of rubbish with queries strewn into it, also into the middle of sequences. A lone terminator follows each, so
 * that a combining character after it joins nothing on either side.
 */
function strewn(seed: number): Buffer {
  const bytes = Buffer.from(randomStream(seed, 30));
  const parts: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    let end = at + 1 + ((seed * 31 + i * 17) % 23);
    // Not into a character: what is left of one on either side of a query joins again when the query is gone.
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end++;
    parts.push(bytes.subarray(at, end), Buffer.from(`${queries[(seed + i) % queries.length]}\x1b\\`));
    at = end;
  }
  return Buffer.concat(parts);
}

test('a terminal behind the filter says nothing and shows the same', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const bytes = strewn(seed);
    using plain = new RawTerminal(20, 6);
    using behind = new RawTerminal(20, 6);
    const filter = createQueryFilter();
    for (let at = 0; at < bytes.length; at += 1 + (seed % 9))
      behind.feed(filter.filter(bytes.subarray(at, at + 1 + (seed % 9))));
    behind.feed(filter.filter(Buffer.from('\x18')));
    plain.feed(bytes).feed(Buffer.from('\x18'));
    expect(plain.replies.length, `seed ${seed}`).toBeGreaterThan(0);
    expect(behind.replies, `seed ${seed}`).toEqual([]);
    expect(differences(plain.observe(), behind.observe()), `seed ${seed}`).toEqual([]);
  }
});
