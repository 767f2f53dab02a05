import { randomBytes } from 'node:crypto';
import { type Clock, type Random, toDisposable } from '../base/index.ts';

/** The machine's own clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, Math.max(0, ms));
    return toDisposable(() => clearTimeout(timer));
  },
};

const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** The machine's own chance, from its cryptographic source. */
export const realRandom: Random = {
  float: () => randomBytes(4).readUInt32LE() / 2 ** 32,
  id(length) {
    let text = '';
    while (text.length < length) {
      for (const byte of randomBytes(length)) {
        if (byte < 248 && text.length < length) text += alphabet[byte % alphabet.length];
      }
    }
    return text;
  },
};
