/** Thrown when the program itself is wrong. Never caught to go on: the daemon stops and is restarted, sessions live on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** States what must be true if our own code is right. Not for input from outside: that is refused, not asserted. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** The default arm of an exhaustive switch: the compiler rejects it while a case is missing. */
export function unreachable(value: never, message = 'Unreachable'): never {
  throw new AssertionError(`${message}: ${JSON.stringify(value)}`);
}
