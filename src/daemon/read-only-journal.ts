import type { Journal } from '../fleet/index.ts';

/**
 * For a daemon that must not write: what happens is seen and shown as long as it lives, and nothing of it is kept. Reading
 * goes to the real journal, which stays its owner's to close.
 */
export function readOnlyJournal(journal: Journal): Journal {
  return {
    append: () => Promise.resolve(),
    read: (afterSeq, limit) => journal.read(afterSeq, limit),
    writeSnapshot: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
