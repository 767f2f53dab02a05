import { accessSync, chmodSync, constants, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ok, type Result, refuse } from '../base/index.ts';
import type { ErrorCode, Home } from '../protocol/index.ts';

/** `sun_path` is 108 bytes with its final NUL. */
const socketPathBytesMax = 107;

/** Makes the folders, private to their owner. Refuses a home that someone else could write to, or that cannot hold sockets. */
export function prepareHome(home: Home, uid: number): Result<Home, ErrorCode> {
  const longest = join(home.run, 'h_00000000.sock');
  const bytes = Math.max(Buffer.byteLength(longest), Buffer.byteLength(home.socket));
  if (bytes > socketPathBytesMax) {
    return refuse(
      'home/socket-path-too-long',
      `Cannot use "${home.run}" for sockets: the path has ${bytes} bytes and the system takes ${socketPathBytesMax}; no session was started`,
    );
  }
  for (const folder of [home.state, home.sessions, home.registry, home.worktrees, home.trash, home.run]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const facts = lstatSync(folder);
      if (!facts.isDirectory()) return refuse('home/unusable', `Cannot use "${folder}": it is not a folder`);
      if (facts.uid !== uid) return refuse('home/unusable', `Cannot use "${folder}": it belongs to another user`);
      if ((facts.mode & 0o077) !== 0) chmodSync(folder, 0o700);
      accessSync(folder, constants.W_OK);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
        return refuse(
          'disk/read-only',
          `Cannot write to "${folder}" (${code}); running sessions go on, new ones cannot start`,
        );
      }
      if (code === 'ENOSPC')
        return refuse('disk/full', `Cannot make "${folder}": the disk is full; running sessions go on`);
      return refuse('home/unusable', `Cannot use "${folder}" (${code ?? 'error'})`);
    }
  }
  return ok(home);
}

/** One session's private corner: its log, its screen's checkpoint, files an agent wants. */
export function sessionFolder(
  home: Home,
  session: string,
): { root: string; log: string; checkpoint: string; private: string; env: string } {
  const root = join(home.sessions, session);
  return {
    root,
    log: join(root, 'log'),
    checkpoint: join(root, 'checkpoint'),
    private: join(root, 'private'),
    env: join(root, 'env.json'),
  };
}
