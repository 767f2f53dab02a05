/**
 * The API as typed calls, the live view kept from its stream, and what all faces of the product share: finding a
 * session by what a person typed, text made safe, widths in a terminal.
 * Must never name anything of Node or a browser: sockets, time and chance come in as parameters.
 */
export { Api } from './api.ts';
export { FleetView } from './fleet-view.ts';
export { type FleetLists, listFleet } from './list-fleet.ts';
export { plainLine, plainText, withoutTricks } from './plain-text.ts';
export { createQueryFilter, type QueryFilter } from './query-filter.ts';
export { resolveRef, resolveSession, type Target } from './resolve-session.ts';
export { fitText, padText, textWidth } from './text-width.ts';
export { type Answer, type Socket, type Transport, Unreachable } from './transport.ts';
