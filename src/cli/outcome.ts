import type { Refusal } from '../base/index.ts';
import { type ErrorCode, type ErrorDocument, errorCodes } from '../protocol/index.ts';

/** What a verb ends with: an exit code, or the refusal that is printed and decides it. */
export type Outcome = number | Refusal<ErrorCode>;

export function errorDocument(refusal: Refusal<ErrorCode>): ErrorDocument {
  const { code, message } = refusal;
  return { schema: 'concert/error@1', code, message, hint: refusal.hint ?? errorCodes[code].hint };
}

export function exitCodeOf(outcome: Outcome): number {
  return typeof outcome === 'number' ? outcome : errorCodes[outcome.code].exit;
}
