import type { Transport } from '../client/index.ts';
import { askUnix } from './unix-request.ts';
import { UnixWebSocket } from './unix-web-socket.ts';

/** Requests over the daemon's unix socket. */
export function createUnixTransport(socketPath: string): Transport {
  return {
    request: (method, path, body) => askUnix(socketPath, method, path, body === undefined ? '' : JSON.stringify(body)),
    async download(path, take) {
      const { downloadUnix } = await import('./unix-download.ts');
      return await downloadUnix(socketPath, path, take);
    },
    openSocket: (path) => new UnixWebSocket(socketPath, path),
  };
}
