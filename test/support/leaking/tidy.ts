import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as pty from 'node-pty';
import { afterAll, it } from 'vitest';

let server: Server;
let child: ChildProcess;
let terminal: pty.IPty;
let worker: Worker;
let file: number;
let timer: NodeJS.Timeout;

it('opens one of each', async () => {
  server = createServer().listen(0, '127.0.0.1');
  child = spawn('/bin/sleep', ['64'], { detached: true });
  terminal = pty.spawn('/bin/sleep', ['65'], {});
  worker = new Worker('setInterval(() => {}, 60_000)', { eval: true });
  file = openSync(join(tmpdir(), 'closed'), 'w');
  timer = setInterval(() => {}, 60_000);
  await new Promise((resolve) => worker.on('online', resolve));
});

afterAll(async () => {
  server.close();
  child.kill();
  terminal.kill();
  closeSync(file);
  clearInterval(timer);
  await worker.terminate();
});
