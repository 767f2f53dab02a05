import type { IncomingMessage } from 'node:http';
import type { Answer } from '../client/index.ts';
import { answerMsMax, unreachable } from './unix-request.ts';

/** Importing it by name would also load what nobody here uses: its WebSocket brings all of undici, 100 ms of a cold start. */
const { request } = process.getBuiltinModule('node:http');

/** A GET whose body is handed over piece by piece, each before the next is read; one that is cut short is `broken`. */
export async function downloadUnix(
  socketPath: string,
  path: string,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<Answer> {
  const response = await begin(socketPath, path);
  const status = response.statusCode ?? 0;
  if (status === 200) {
    await drain(response, take);
    return { status, text: '' };
  }
  const parts: Uint8Array[] = [];
  await drain(response, async (bytes) => {
    parts.push(bytes);
  });
  return { status, text: Buffer.concat(parts).toString('utf8') };
}

function begin(socketPath: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, agent: false, timeout: answerMsMax }, resolve);
    call.on('error', (cause) => reject(unreachable(cause)));
    call.on('timeout', () => call.destroy(new Error(`it said nothing for ${answerMsMax / 1000} s`)));
    call.end();
  });
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
