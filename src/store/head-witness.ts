import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { hashFields } from './row-hash.ts';
import { errorCode } from './store-error.ts';

/** How far the journal had got: its newest row, and the highest epoch. */
export interface Head {
  seq: number;
  rowHash: string;
  epoch: number;
}

/**
 * Remembers beside the journal how far it had got. SQLite takes a cut or flipped write-ahead log for one that ended early
 * and opens without a word; the witness is what tells that rows are missing. It is written after each commit without a
 * flush of its own, so it may lag after a power cut but never runs ahead; one that cannot be read witnesses nothing.
 */
export class HeadWitness implements Disposable {
  #file: number | null;

  private constructor(file: number | null) {
    this.#file = file;
  }

  static open(journalPath: string): HeadWitness {
    try {
      return new HeadWitness(openSync(headPath(journalPath), constants.O_RDWR | constants.O_CREAT, 0o600));
    } catch (error) {
      if (errorCode(error) === '') throw error;
      return new HeadWitness(null);
    }
  }

  write(head: Head): void {
    if (this.#file === null) return;
    try {
      writeSync(this.#file, format(head), 0, 'latin1');
    } catch (error) {
      // A full or failing disk only makes the witness lag; the rows themselves are safe.
      if (errorCode(error) === '') throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

function headPath(journalPath: string): string {
  return `${journalPath}.head`;
}

/** What was witnessed, or null when there is none or it does not prove itself. */
export function readHead(journalPath: string): Head | null {
  let text: string;
  try {
    text = readFileSync(headPath(journalPath), 'latin1');
  } catch (error) {
    if (errorCode(error) === '') throw error;
    return null;
  }
  const [seq, epoch, rowHash = ''] = text.trim().split(/ +/);
  const head = { seq: Number(seq), epoch: Number(epoch), rowHash };
  return format(head) === text ? head : null;
}

/** One line of a fixed length, so that a new one covers the old. */
function format({ seq, epoch, rowHash }: Head): string {
  const check = hashFields(seq, epoch, rowHash).slice(0, 16);
  return `${String(seq).padStart(16)} ${String(epoch).padStart(16)} ${rowHash} ${check}\n`;
}
