/** Bounds of an exponential backoff with full jitter, all in ms. */
export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
}

/** Delay before retry number `attempt` (0 is the first): at least half and at most all of `first * 2^attempt`, capped at `maxMs`. */
export function backoffMs({ firstMs, maxMs }: BackoffOptions, attempt: number, chance: number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * chance);
}
