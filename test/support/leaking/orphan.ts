import { spawn } from 'node:child_process';
import { it } from 'vitest';

it('leaves a grandchild whose parent is gone', async () => {
  const shell = spawn('/bin/sh', ['-c', 'setsid sleep 63 >&- 2>&- &'], { stdio: 'ignore' });
  await new Promise((resolve) => shell.on('exit', resolve));
});
