import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Log } from '../base/index.ts';
import { createApp } from './app.ts';
import { errorDocument, rawRefusal } from './error-document.ts';
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
  const server = createServer(
    getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler: refuseRequest }),
  );
  server.maxConnections = connectionsMax;
  server.headersTimeout = 5_000;
  server.requestTimeout = 60_000;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => upgrade(ports, sockets, request, socket, head));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Ended only where it can still be told; half a connection is not worth keeping either way.
    if (socket.writable) socket.end(refusalOf(error.code ?? ''), () => socket.destroy());
    else socket.destroy();
  });
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
  socket.on('error', () => socket.destroy());
  const target = targetOf(request.url ?? '/');
  if (target === null) {
    socket.end(rawRefusal('request/invalid', 'The target of the request is no path', '400 Bad Request'));
    return;
  }
  const { path, since, session } = target;
  const accept = (then: (client: WebSocket) => void) =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      then(client);
    });
  if (path === '/v1/stream') accept((client) => serveStream(ports.fleet, client, since));
  else if (path === '/v1/events') accept((client) => serveEvents(ports.fleet, client));
  else if (session !== null) accept((client) => serveTerminal(ports.terminals, client, session));
  else socket.end(rawRefusal('request/unknown-path', 'There is nothing to connect to at this path', '404 Not Found'));
}

/** Where an upgrade wants to go; null for what is no URL. */
function targetOf(target: string): { path: string; since: string | null; session: string | null } | null {
  try {
    const url = new URL(target, 'http://concert');
    const terminal = /^\/v1\/sessions\/([^/]+)\/terminal$/.exec(url.pathname);
    const session = terminal === null ? null : decodeURIComponent(terminal[1] ?? '');
    return { path: url.pathname, since: url.searchParams.get('since'), session };
  } catch {
    // Half a percent sign, an empty host: nothing that names a place of ours.
    return null;
  }
}

/** For a host or target that makes no URL; the app itself answers everything else. */
function refuseRequest(error: unknown): Response {
  const message = `The request names no place of this daemon: ${(error as Error).message}`;
  return Response.json(errorDocument({ ok: false, code: 'request/invalid', message }), { status: 400 });
}

/** For what the parser of HTTP would not take. */
function refusalOf(code: string): string {
  if (code === 'HPE_HEADER_OVERFLOW')
    return rawRefusal('request/too-large', 'The headers are too long', '431 Request Header Fields Too Large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return rawRefusal('request/invalid', 'The request did not arrive whole in time', '408 Request Timeout');
  return rawRefusal('request/invalid', `The request is not HTTP (${code})`, '400 Bad Request');
}

function serveEvents(fleet: FleetPort, client: WebSocket): void {
  const subscription = fleet.onEvent((event) => client.send(JSON.stringify(event)));
  client.on('close', () => subscription[Symbol.dispose]());
}
