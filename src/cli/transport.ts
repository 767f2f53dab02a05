import type { IncomingMessage } from 'node:http';
import { type Answer, type Socket, type Transport, Unreachable } from '../client/index.ts';
import { UnixWebSocket } from './unix-web-socket.ts';

/** Importing it by name would also load what nobody here uses: its WebSocket brings all of undici, 100 ms of a cold start. */
const { request: httpRequest } = process.getBuiltinModule('node:http');

/** Longest silence of a daemon that is asked; setting up a worktree in a large repository takes a while. */
const answerMsMax = 120_000;

/** Requests over the daemon's unix socket. */
export function createUnixTransport(socketPath: string): Transport {
  return {
    async request(method, path, body) {
      const response = await begin(socketPath, method, path, body);
      return { status: response.statusCode ?? 0, text: await textOf(response) };
    },
    async download(path, take) {
      const response = await begin(socketPath, 'GET', path);
      const status = response.statusCode ?? 0;
      if (status !== 200) return { status, text: await textOf(response) };
      await drain(response, take);
      return { status, text: '' } satisfies Answer;
    },
    openSocket: (path): Socket => new UnixWebSocket(socketPath, path),
  };
}

function begin(socketPath: string, method: string, path: string, body?: unknown): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({ socketPath, method, path, agent: false, timeout: answerMsMax }, resolve);
    call.on('error', (cause) => reject(unreachable(cause)));
    call.on('timeout', () => call.destroy(new Error(`it said nothing for ${answerMsMax / 1000} s`)));
    const text = body === undefined ? '' : JSON.stringify(body);
    if (body !== undefined) call.setHeader('content-type', 'application/json');
    // Said also for none: the edge takes a request of unknown length for one that may be endless.
    if (method !== 'GET') call.setHeader('content-length', Buffer.byteLength(text));
    call.end(text);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  await drain(response, async (bytes) => {
    parts.push(bytes);
  });
  return Buffer.concat(parts).toString('utf8');
}

async function drain(response: IncomingMessage, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const chunks: AsyncIterator<Uint8Array> = response[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch((cause) => {
      throw unreachable(cause);
    });
    if (next.done) return;
    await take(next.value);
  }
}

function unreachable(cause: NodeJS.ErrnoException): Unreachable {
  if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED')
    return new Unreachable('absent', 'The daemon does not answer; sessions on this host go on', { cause });
  if (cause.code === 'EACCES' || cause.code === 'EPERM')
    return new Unreachable('forbidden', 'The socket of the daemon belongs to someone else; nothing was asked', {
      cause,
    });
  return new Unreachable('broken', `The daemon broke off (${cause.message}); sessions on this host go on`, { cause });
}
