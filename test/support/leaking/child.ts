import { spawn } from 'node:child_process';
import { it } from 'vitest';

it('leaves a child', () => {
  spawn('/bin/sleep', ['62'], { stdio: 'ignore' }).unref();
});
