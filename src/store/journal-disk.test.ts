import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/store/fixtures.ts';

const program = fileURLToPath(new URL('../../test/support/store/small-disk.ts', import.meta.url));
const mountAndRun = 'mount -t tmpfs -o size=3m tmpfs "$1" && exec "$2" "$3" "$1" "$4"';

/** Every amount of room, in pages, up to this; `DISK_POINTS` asks for more. */
const points = process.env.DISK_POINTS ?? '24';

/** A file system of one's own needs a mount namespace, which some containers and kernels refuse. */
const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

test.skipIf(!canMount)(
  'on a small disk that is full or read-only, what was acknowledged is there and what was not is not',
  () => {
    using folder = temporaryFolder();
    const args = ['-rm', 'sh', '-c', mountAndRun, 'sh', folder.path, process.execPath, program, points];
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: JSON.stringify({ points: Number(points) }),
      stderr: '',
    });
  },
);
