import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Log } from '../base/index.ts';
import { createApp } from './app.ts';
import type { FleetPort, TerminalPort } from './ports.ts';
import { serveStream } from './serve-stream.ts';
import { serveTerminal } from './serve-terminal.ts';

/** A text frame of a client is small; terminal input comes in pieces below this. */
const messageBytesMax = 1_048_576;
/** Terminals, screens and one-shot commands of one person; beyond it someone leaks connections. */
const connectionsMax = 256;

/**
 * The daemon's edge on its unix socket. The socket is 0600 in a 0700 folder: whoever can connect is the owner. Bad
 * requests end their own connection and nothing else.
 */
export async function serve(
  ports: { fleet: FleetPort; terminals: TerminalPort; log: Log },
  socketPath: string,
): Promise<AsyncDisposable> {
  const app = createApp(ports.fleet, ports.terminals);
  const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  server.maxConnections = connectionsMax;
  server.headersTimeout = 5_000;
  server.requestTimeout = 60_000;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => upgrade(ports, sockets, request, socket, head));
  server.on('clientError', (_error, socket) => socket.destroy());
  // Left by a daemon that was killed; whoever serves a home holds its lock.
  rmSync(socketPath, { force: true });
  await listen(server, socketPath);
  chmodSync(socketPath, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function upgrade(
  ports: { fleet: FleetPort; terminals: TerminalPort; log: Log },
  sockets: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const url = new URL(request.url ?? '/', 'http://concert');
  const terminal = /^\/v1\/sessions\/([^/]+)\/terminal$/.exec(url.pathname);
  const accept = (then: (client: WebSocket) => void) =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      then(client);
    });
  socket.on('error', () => socket.destroy());
  if (url.pathname === '/v1/stream')
    accept((client) => serveStream(ports.fleet, client, url.searchParams.get('since')));
  else if (url.pathname === '/v1/events') accept((client) => serveEvents(ports.fleet, client));
  else if (terminal?.[1] !== undefined)
    accept((client) => serveTerminal(ports.terminals, client, decodeURIComponent(terminal[1] ?? '')));
  else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
}

function serveEvents(fleet: FleetPort, client: WebSocket): void {
  const subscription = fleet.onEvent((event) => client.send(JSON.stringify(event)));
  client.on('close', () => subscription[Symbol.dispose]());
}
