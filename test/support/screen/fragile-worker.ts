/** A screen worker that dies when it is told of a window without a cell. */
import { parentPort } from 'node:worker_threads';
import type { ScreenOrder } from '../../../src/terminal/screen/screen-messages.ts';
import '../../../src/terminal/screen/screen-worker.ts';

parentPort?.on('message', (order: ScreenOrder) => {
  if (order.type === 'look' && order.look.cellWidth === 0) process.exit(1);
});
