import { it } from 'vitest';

it('leaves an interval', () => {
  setInterval(() => {}, 60_000).unref();
});
