import { ok, type Result, refuse } from '../base/index.ts';
import type { ErrorCode, Home } from '../protocol/index.ts';

/** `sun_path` is 108 bytes with its final NUL. */
const socketPathBytesMax = 107;

/** Refuses a home whose folders are not absolute or whose socket the system could not name. */
export function checkHome(home: Home): Result<Home, ErrorCode> {
  if (!home.state.startsWith('/') || !home.run.startsWith('/')) {
    return refuse('home/unusable', `Cannot use "${home.state}" as a home: it is not a full path`);
  }
  const bytes = Buffer.byteLength(home.socket);
  if (bytes <= socketPathBytesMax) return ok(home);
  return refuse(
    'home/socket-path-too-long',
    `Cannot use "${home.run}" for sockets: the path has ${bytes} bytes and the system takes ${socketPathBytesMax}`,
  );
}
