/** An expected no: returned, never thrown, so that the caller must look. `code` comes from `protocol/error-codes.ts`. */
export interface Refusal<Code extends string = string> {
  ok: false;
  code: Code;
  /** One sentence: what was refused and what it means for the sessions. */
  message: string;
  /** What to do next; a command where there is one. */
  hint?: string;
}

export type Result<T, Code extends string = string> = { ok: true; value: T } | Refusal<Code>;

export function ok<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

export function refuse<Code extends string>(code: Code, message: string, hint?: string): Refusal<Code> {
  return hint === undefined ? { ok: false, code, message } : { ok: false, code, message, hint };
}
