import { createServer } from 'node:net';
import { it } from 'vitest';

it('leaves a listening socket', async () => {
  await new Promise((resolve) =>
    createServer()
      .unref()
      .listen(0, '127.0.0.1', () => resolve(undefined)),
  );
});
