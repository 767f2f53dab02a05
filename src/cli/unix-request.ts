import { connect } from 'node:net';
import type { Answer } from '../client/index.ts';
import { Unreachable } from '../client/index.ts';

/** Longest silence of a daemon that is asked; setting up a worktree in a large repository takes a while. */
export const answerMsMax = 120_000;
/** Ten thousand sessions are about 15 MiB. */
const answerBytesMax = 512 * 1024 * 1024;

/**
 * One request over a unix socket, answered whole. Written out by hand because the runtime's HTTP client alone takes a
 * fifth of what a person waits for at a cold start. Asked as HTTP/1.0, so the answer comes in one piece and ends the
 * connection; one that is cut short is `broken`.
 */
export function askUnix(socketPath: string, method: string, path: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    socket.setTimeout(answerMsMax, () => socket.destroy(new Error(`it said nothing for ${answerMsMax / 1000} s`)));
    socket.on('error', (cause) => reject(unreachable(cause)));
    socket.on('data', (part) => {
      parts.push(part);
      bytes += part.length;
      if (bytes > answerBytesMax) socket.destroy(new Error('its answer is too long'));
    });
    socket.on('close', () => {
      const answer = parseAnswer(Buffer.concat(parts));
      if (answer === null) reject(unreachable(new Error('its answer was cut short')));
      else resolve(answer);
    });
    const length = Buffer.byteLength(body);
    socket.write(
      `${method} ${path} HTTP/1.0\r\nHost: concert\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
    );
  });
}

/** Null when something is missing. An answer that does not tell its length ends with the connection. */
function parseAnswer(bytes: Buffer): Answer | null {
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes.toString('latin1', 0, Math.max(0, end));
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  const body = bytes.subarray(end + 4);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? body.length);
  if (status === undefined || body.length < length) return null;
  return { status: Number(status), text: body.toString('utf8', 0, length) };
}

export function unreachable(cause: NodeJS.ErrnoException): Unreachable {
  if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED')
    return new Unreachable('absent', 'The daemon does not answer; sessions on this host go on', { cause });
  if (cause.code === 'EACCES' || cause.code === 'EPERM')
    return new Unreachable('forbidden', 'The socket of the daemon belongs to someone else; nothing was asked', {
      cause,
    });
  return new Unreachable('broken', `The daemon broke off (${cause.message}); sessions on this host go on`, { cause });
}
