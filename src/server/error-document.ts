import { type ErrorCode, type ErrorDocument, errorCodes } from '../protocol/index.ts';
import type { AnyRefusal } from './ports.ts';

/** A refusal as it leaves the building. */
export function errorDocument({ code, message, hint }: AnyRefusal): ErrorDocument {
  return { schema: 'concert/error@1', code, message, hint: hint ?? errorCodes[code].hint };
}

/** A whole answer for a connection that never became a request, or asked for another protocol in vain; it closes after it. */
export function rawRefusal(code: ErrorCode, message: string, status: string): string {
  const body = JSON.stringify(errorDocument({ ok: false, code, message }));
  const headers = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  return [`HTTP/1.1 ${status}`, ...headers, '', body].join('\r\n');
}
