import { ok, type Result, refuse } from '../base/index.ts';

/** `sun_path` has 108 bytes with its final NUL (104 on macOS, where the system says so itself). */
const socketPathBytesMax = 107;

/** Refuses a socket path that the system would silently cut or reject. Pure: nothing is looked up. */
export function checkSocketPath(path: string): Result<string, 'home/socket-path-too-long'> {
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= socketPathBytesMax) return ok(path);
  return refuse(
    'home/socket-path-too-long',
    `Cannot use "${path}" for a socket: the path has ${bytes} bytes and the system takes ${socketPathBytesMax}; no session was started`,
  );
}
