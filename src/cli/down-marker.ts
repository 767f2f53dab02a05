import type { Home } from '../protocol/index.ts';

/** Left by `concert down`: the person wanted the daemon gone, so nothing but an explicit start brings it back. */
export function downMarker(home: Home): string {
  return `${home.run}/down`;
}
