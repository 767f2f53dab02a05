import { createServer, type Server } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { UnixWebSocket } from './unix-web-socket.ts';

let stack: AsyncDisposableStack;
let path: string;
beforeEach(() => {
  stack = new AsyncDisposableStack();
  path = join(stack.use(temporaryFolder()).path, 's');
});
afterEach(() => stack.disposeAsync());

/** The server of the library the daemon serves with, answering every message with itself. */
async function serveEcho(): Promise<WebSocketServer> {
  const server: Server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: true });
  stack.defer(() => {
    for (const client of sockets.clients) client.terminate();
    server.close();
  });
  sockets.on('connection', (client) =>
    client.on('message', (data, isBinary) => client.send(data, { binary: isBinary })),
  );
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return sockets;
}

const open = (at = '/v1/x') => {
  const socket = new UnixWebSocket(path, at);
  stack.defer(() => socket.close());
  return socket;
};
const next = (socket: UnixWebSocket) =>
  new Promise<string | Uint8Array>((resolve) => {
    const listening = socket.onMessage((message) => {
      listening[Symbol.dispose]();
      resolve(message);
    });
  });

test.each([0, 1, 125, 126, 65_535, 65_536, 3_000_000])(
  'a message of %i bytes comes back whole, as text and as bytes',
  async (length) => {
    await serveEcho();
    const socket = open();
    const text = 'é'.repeat(length / 2) + 'x'.repeat(length % 2);
    socket.send(text);
    expect(await next(socket)).toBe(text);
    const bytes = Uint8Array.from({ length }, (_, index) => index % 251);
    socket.send(bytes);
    expect(Buffer.from((await next(socket)) as Uint8Array).equals(Buffer.from(bytes))).toBe(true);
  },
);

test('messages sent before it is open arrive in order, at the path that was asked for', async () => {
  const sockets = await serveEcho();
  const urls: unknown[] = [];
  sockets.on('connection', (_client, request) => urls.push(request.url));
  const socket = open('/v1/stream?since=4');
  const heard: unknown[] = [];
  socket.onMessage((message) => heard.push(message));
  for (const message of ['one', 'two', 'three']) socket.send(message);
  while (heard.length < 3) await next(socket);
  expect({ heard, urls }).toEqual({ heard: ['one', 'two', 'three'], urls: ['/v1/stream?since=4'] });
});

test('pings are answered, fragments joined, and a close of the server is told once', async () => {
  const sockets = await serveEcho();
  const socket = open();
  let closes = 0;
  const closed = new Promise<void>((resolve) => {
    socket.onClose(() => {
      closes++;
      resolve();
    });
  });
  const client = await new Promise<import('ws').WebSocket>((resolve) => sockets.on('connection', resolve));
  const pong = new Promise((resolve) => client.once('pong', (data: Buffer) => resolve(data.toString())));
  client.ping('are you there');
  expect(await pong).toBe('are you there');
  client.send('in ', { fin: false });
  client.ping();
  client.send('pieces', { fin: true });
  expect(await next(socket)).toBe('in pieces');
  client.close();
  await closed;
  socket.close();
  expect(closes).toBe(1);
});

test('nothing there, a refusal, and one that speaks nonsense all end it', async () => {
  const ends = (socket: UnixWebSocket) => new Promise<string>((resolve) => socket.onClose(() => resolve('closed')));
  expect(await ends(open())).toBe('closed');

  const answers = [
    'HTTP/1.1 404 Not Found\r\n\r\n',
    'x'.repeat(20_000),
    'HTTP/1.1 101 ok\r\n\r\n\x81\xff\x00\x00\x00\x00',
    'HTTP/1.1 101 ok\r\n\r\n\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff',
  ];
  const server = createNetServer((client) => {
    client.on('error', () => client.destroy());
    client.once('data', () => client.write(Buffer.from(answers.shift() ?? '', 'latin1')));
  });
  stack.defer(() => void server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  while (answers.length > 0) expect(await ends(open())).toBe('closed');
});

test('the answer may come byte by byte', async () => {
  const answer = Buffer.from(
    'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x05hello\x82\x7e\x00\x03abc',
    'latin1',
  );
  const server = createNetServer((client) => {
    client.setNoDelay(true);
    client.once('data', async () => {
      for (const byte of answer)
        await new Promise<void>((resolve) => client.write(Uint8Array.of(byte), () => setImmediate(resolve)));
    });
  });
  stack.defer(() => void server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const socket = open();
  expect(await next(socket)).toBe('hello');
  expect(await next(socket)).toEqual(Uint8Array.from(Buffer.from('abc')));
});
