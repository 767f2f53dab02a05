import { Worker } from 'node:worker_threads';
import { it } from 'vitest';

it('leaves a worker thread', async () => {
  const worker = new Worker('setInterval(() => {}, 60_000)', { eval: true });
  worker.unref();
  await new Promise((resolve) => worker.on('online', resolve));
});
