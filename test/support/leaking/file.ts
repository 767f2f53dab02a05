import { openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';

it('leaves a file open', () => {
  openSync(join(tmpdir(), 'left-open'), 'w');
});
