import * as pty from 'node-pty';
import { it } from 'vitest';

it('leaves a PTY and its child', () => {
  pty.spawn('/bin/sleep', ['61'], { env: {}, cwd: process.env.TMPDIR ?? '' });
});
