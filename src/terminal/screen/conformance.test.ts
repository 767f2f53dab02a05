import { describe, expect, test } from 'vitest';
import { checkCuts } from '../../../test/support/screen/check-cuts.ts';
import { randomStream } from '../../../test/support/screen/random-streams.ts';
import { frames, log, moreStates, probe, terminalStates } from '../../../test/support/screen/terminal-states.ts';

const size = { columns: 20, rows: 8 };
const resizes = [
  [27, 9],
  [13, 6],
  [20, 8],
] as const;
const bytesOf = (text: string) => Buffer.from(text, 'utf8');
const probeBytes = bytesOf(probe);
const nothing = { odd: 0, found: [] };

describe('attach then continue equals uninterrupted, cut at every byte', () => {
  test.each(terminalStates)('$name', ({ stream }) => {
    const bytes = bytesOf(stream);
    expect(checkCuts(bytes, { ...size, probe: probeBytes, resizes })).toEqual({ ...nothing, cuts: bytes.length + 1 });
  });

  test('there are 19', () => {
    expect(terminalStates.length).toBe(19);
  });

  test.each(moreStates)('$name', ({ stream }) => {
    const bytes = bytesOf(stream);
    expect(checkCuts(bytes, { ...size, probe: probeBytes, resizes })).toEqual({ ...nothing, cuts: bytes.length + 1 });
  });
});

describe('the suite bites', () => {
  test.each(terminalStates)('a checkpoint without: $name', ({ stream, carriedBy }) => {
    const spoil = (bytes: Uint8Array) =>
      Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll(new RegExp(carriedBy, 'g'), ''), 'latin1');
    const { found } = checkCuts(bytesOf(stream), { ...size, probe: probeBytes, spoil });
    expect(found.length).toBeGreaterThan(0);
  });
});

describe('streams', { timeout: 60_000 }, () => {
  test('bytes that are no character', () => {
    const bytes = Buffer.from('61c3e2829041f09f80c3a9ff80e282ac1b5bc333416d62', 'hex');
    expect(checkCuts(bytes, { ...size, probe: probeBytes })).toMatchObject(nothing);
  });

  test('frames of a full-screen program', () => {
    expect(checkCuts(bytesOf(`log\r\n\x1b[?1049h${frames(2, 12)}`), { ...size, probe: probeBytes })).toMatchObject(
      nothing,
    );
  });

  test('a log that scrolls', () => {
    expect(checkCuts(bytesOf(log(5)), { columns: 20, rows: 4, resizes })).toMatchObject(nothing);
  });

  test('a log longer than what is kept', () => {
    const bytes = bytesOf(log(800));
    const cuts = [bytes.length - 700, bytes.length - 333, bytes.length];
    expect(checkCuts(bytes, { ...size, cuts, probe: probeBytes, resizes })).toMatchObject({ ...nothing, cuts: 3 });
  });

  // A longer run of the same, with other seeds, is a loop over this test's body.
  test('rubbish, by seed', () => {
    const found: string[] = [];
    let odd = 0;
    let cuts = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const bytes = randomStream(seed, 30);
      const at = [0.2, 0.35, 0.5, 0.65, 0.8, 1].map((share) => Math.floor(bytes.length * share));
      const [columns, rows] = [[12, 6] as const, [7, 5] as const, [20, 8] as const, [13, 3] as const][seed % 4] ?? [
        9, 4,
      ];
      const checked = checkCuts(bytes, {
        columns,
        rows,
        cuts: at,
        probe: probeBytes,
        resizes: [
          [columns + 5, rows + 2],
          [columns - 4, rows - 1],
        ],
      });
      odd += checked.odd;
      cuts += checked.cuts;
      for (const line of checked.found) found.push(`seed ${seed}, ${line}`);
    }
    expect(found).toEqual([]);
    expect(odd).toBeLessThan(cuts / 20);
  });
});
