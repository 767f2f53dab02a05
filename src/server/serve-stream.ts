import type { WebSocket } from 'ws';
import type { StreamMessage } from '../protocol/index.ts';
import type { FleetPort } from './ports.ts';

/** Unsent bytes above which a client is cut off; it comes back with the number it knows and misses nothing. */
const unsentBytesMax = 8 * 1024 * 1024;

/** Sends every change after `since`, then live ones. */
export function serveStream(fleet: FleetPort, client: WebSocket, since: string | null): void {
  const known = since === null ? null : Number(since);
  const send = (messages: readonly StreamMessage[]) => {
    if (client.bufferedAmount > unsentBytesMax) return client.terminate();
    for (const message of messages) client.send(JSON.stringify(message));
  };
  const subscription = fleet.subscribe(known !== null && Number.isSafeInteger(known) ? known : null, send);
  client.on('close', () => subscription[Symbol.dispose]());
}
