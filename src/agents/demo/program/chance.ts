/** Repeatable chance in [0, 1): the same seed gives the same history. A linear congruence; good enough for a show. */
export function seededChance(seed: number): () => number {
  let state = Math.trunc(seed) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Exactly `total` bytes of coloured log lines, in pieces of up to 16 KiB. */
export function* floodOf(total: number, chance: () => number): Generator<string> {
  let left = total;
  let piece = '';
  for (let line = 1; left > 0; line++) {
    const ms = Math.floor(chance() * 900);
    const color = ms > 600 ? 33 : 32;
    const text = `\x1b[${color}m${ms > 600 ? 'WARN' : 'INFO'}\x1b[0m request ${line} /items/${Math.floor(chance() * 1e6)} took ${ms} ms\n`;
    const cut = text.slice(0, left);
    left -= cut.length;
    piece += cut;
    if (piece.length < 16 * 1024 && left > 0) continue;
    yield piece;
    piece = '';
  }
}
