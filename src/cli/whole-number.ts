import { ok, type Result, refuse } from '../base/index.ts';
import { plainLine } from '../client/index.ts';
import type { ErrorCode } from '../protocol/index.ts';

/** A whole number from a range, or a sentence that says which option was wrong. */
export function wholeNumber(
  text: string,
  name: string,
  [least, most]: readonly [number, number],
): Result<number, ErrorCode> {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return ok(value);
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  return refuse('request/invalid', `${name} must be a whole number ${range}, not "${plainLine(text, 40)}"`);
}
