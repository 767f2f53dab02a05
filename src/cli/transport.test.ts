import { createServer, type RequestListener } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { createUnixTransport } from './transport.ts';

let stack: AsyncDisposableStack;
let path: string;
beforeEach(() => {
  stack = new AsyncDisposableStack();
  path = join(stack.use(temporaryFolder()).path, 's');
});
afterEach(() => stack.disposeAsync());

async function serve(answer: RequestListener) {
  const server = createServer(answer);
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return createUnixTransport(path);
}

async function serveRaw(...pieces: string[]) {
  const server = createNetServer((client) => {
    client.on('error', () => client.destroy());
    client.once('data', async () => {
      for (const piece of pieces) await new Promise<void>((resolve) => client.write(piece, 'latin1', () => resolve()));
      client.end();
    });
  });
  stack.defer(() => void server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return createUnixTransport(path);
}

test('asks with method, path and body, and answers with status and text', async () => {
  const asked: unknown[] = [];
  const transport = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    asked.push([request.method, request.url, request.headers['content-type'], body]);
    response
      .writeHead(request.method === 'GET' ? 200 : 409, { 'content-type': 'application/json' })
      .end(`"é${'x'.repeat(200_000)}"`);
  });
  const text = `"é${'x'.repeat(200_000)}"`;
  expect(await transport.request('GET', '/v1/a?b=c')).toEqual({ status: 200, text });
  expect(await transport.request('POST', '/v1/d', { text: '日本' })).toEqual({ status: 409, text });
  expect(await transport.request('DELETE', '/v1/e')).toEqual({ status: 409, text });
  expect(asked).toEqual([
    ['GET', '/v1/a?b=c', 'application/json', ''],
    ['POST', '/v1/d', 'application/json', '{"text":"日本"}'],
    ['DELETE', '/v1/e', 'application/json', ''],
  ]);
});

test('an answer may come in pieces; one that is cut short is broken', async () => {
  const whole = await serveRaw('HTTP/1.1 20', '0 OK\r\nContent-Length: 4\r\n', '\r\n{', '  }');
  expect(await whole.request('GET', '/')).toEqual({ status: 200, text: '{  }' });
});

test.each(['', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{ ', 'nonsense\r\n\r\n'])(
  '%j is a broken answer',
  async (answer) => {
    const transport = await serveRaw(answer);
    await expect(transport.request('GET', '/')).rejects.toMatchObject({ name: 'Unreachable', code: 'broken' });
  },
);

test('nobody there is absent: the request was certainly not done', async () => {
  const transport = createUnixTransport(path);
  await expect(transport.request('POST', '/v1/stop')).rejects.toMatchObject({ code: 'absent' });
  await expect(transport.download('/v1/x', async () => {})).rejects.toMatchObject({ code: 'absent' });
});

test('a download is handed over in order, at the pace of who takes it, and a cut one is broken', async () => {
  const transport = await serve((request, response) => {
    if (request.url === '/refused') response.writeHead(404).end('{"no":1}');
    else {
      response.write('one ');
      response.write('two ');
      if (request.url === '/cut') response.write('three', () => response.destroy());
      else response.end('three');
    }
  });
  const read = async (at: string) => {
    let text = '';
    const answer = await transport.download(at, async (bytes) => {
      await new Promise((resolve) => setImmediate(resolve));
      text += Buffer.from(bytes).toString();
    });
    return { ...answer, taken: text };
  };
  expect(await read('/whole')).toEqual({ status: 200, text: '', taken: 'one two three' });
  expect(await read('/refused')).toEqual({ status: 404, text: '{"no":1}', taken: '' });
  await expect(read('/cut')).rejects.toMatchObject({ code: 'broken' });
});
