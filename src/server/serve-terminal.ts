import type { WebSocket } from 'ws';
import { errorCodes, TerminalRequest } from '../protocol/index.ts';
import type { AnyRefusal, TerminalPort } from './ports.ts';

/** Unsent bytes above which a terminal is cut off: it asks for more without taking what it has. */
const unsentBytesMax = 8 * 1024 * 1024;

/** One attached terminal: JSON text frames for requests and notices, binary frames for bytes both ways. */
export function serveTerminal(terminals: TerminalPort, client: WebSocket, session: string): void {
  const refuse = (refusal: AnyRefusal) => {
    const hint = refusal.hint ?? errorCodes[refusal.code].hint;
    client.send(JSON.stringify({ type: 'refused', code: refusal.code, message: refusal.message, hint }));
  };
  const opened = terminals.open(session, {
    notice: (notice) => client.send(JSON.stringify(notice)),
    bytes: (bytes) => {
      if (client.bufferedAmount > unsentBytesMax) client.terminate();
      return new Promise((resolve) => client.send(bytes, { binary: true }, () => resolve()));
    },
    close: () => client.close(),
  });
  if (!opened.ok) {
    refuse(opened);
    client.close();
    return;
  }
  const seat = opened.value;
  client.on('message', (data, isBinary) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
    if (isBinary) return seat.input(bytes);
    const parsed = parseRequest(bytes.toString('utf8'));
    if (parsed === null)
      refuse({ ok: false, code: 'request/invalid', message: 'The terminal sent something that is no request' });
    else seat.request(parsed);
  });
  client.on('close', () => seat[Symbol.dispose]());
}

function parseRequest(text: string): TerminalRequest | null {
  try {
    return TerminalRequest.parse(JSON.parse(text));
  } catch {
    // Whatever was wrong with it, the answer is the same: it is not a request.
    return null;
  }
}
