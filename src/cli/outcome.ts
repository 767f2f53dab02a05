import type { Refusal } from '../base/index.ts';
import { plainText, withoutTricks } from '../client/index.ts';
import { type ErrorCode, type ErrorDocument, errorCodes } from '../protocol/index.ts';
import type { Invocation } from './invocation.ts';

/** What a verb ends with: an exit code, or the refusal that is printed and decides it. */
export type Outcome = number | Refusal<ErrorCode>;

export function exitCodeOf(outcome: Outcome): number {
  return typeof outcome === 'number' ? outcome : errorCodes[outcome.code].exit;
}

/** One sentence and what to do next; a document with `--json`. Always on standard error. */
export function printRefusal(
  { stderr }: Pick<Invocation, 'stderr'>,
  { json }: { json: boolean },
  { code, message, hint = errorCodes[code].hint }: Refusal<ErrorCode>,
): void {
  const document: ErrorDocument = { schema: 'concert/error@1', code, message, hint };
  if (json) stderr.write(`${withoutTricks(JSON.stringify(document))}\n`);
  else stderr.write(`${plainText(sentence(message))}\n${hint === '' ? '' : `Next: ${plainText(hint)}\n`}`);
}

/** Messages have no full stop of their own. */
export function sentence(message: string): string {
  return /[.!?:…]$/.test(message) ? message : `${message}.`;
}
