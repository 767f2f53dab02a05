/** Output is gathered in blocks of this size; a subscriber who keeps up never needs the disk. */
export const blockBytes = 32 * 1024;

/** Kept in any case once written: the current block and the one before it. */
const blocksMin = 2;
/** Kept for subscribers that lag a little, half a megabyte; one that lags more reads from disk. */
const blocksMax = 16;

/** A change of size, in the same order as the bytes. */
interface SizeMark {
  /** Grows by one with each mark of a tail, so that a reader can tell the marks at one offset apart. */
  sequence: number;
  offset: number;
  columns: number;
  rows: number;
}

/**
 * The newest output of a channel in memory: at least the block before the current one and everything that is not on
 * disk yet. Bytes once appended never change or move, so views of them may be written out later without a copy.
 */
export class OutputTail {
  #blocks: Block[] = [];
  #head: number;
  #marks: SizeMark[] = [];
  /** The size in effect at `start`. */
  #base: SizeMark;

  constructor(start: number, columns: number, rows: number) {
    this.#head = start;
    this.#base = { sequence: 0, offset: start, columns, rows };
  }

  /** First offset in memory. */
  get start(): number {
    return this.#blocks[0]?.start ?? this.#head;
  }

  /** Offset after the newest byte. */
  get head(): number {
    return this.#head;
  }

  /** Copies `bytes` in and hands the stable views of them to `onView`, in order. */
  append(bytes: Uint8Array, onView: (view: Uint8Array) => void): void {
    for (let at = 0; at < bytes.length; ) {
      const block = this.#blockWithRoom();
      const count = Math.min(bytes.length - at, blockBytes - block.used);
      block.bytes.set(at === 0 && count === bytes.length ? bytes : bytes.subarray(at, at + count), block.used);
      const view = block.bytes.subarray(block.used, block.used + count);
      block.used += count;
      this.#head += count;
      at += count;
      onView(view);
    }
  }

  /** Several sizes at one offset count as the last: nothing was printed at the others. */
  resize(columns: number, rows: number): void {
    const last = this.#marks.at(-1) ?? this.#base;
    const mark = { sequence: last.sequence + 1, offset: this.#head, columns, rows };
    if (this.#marks.at(-1)?.offset === this.#head) this.#marks.pop();
    this.#marks.push(mark);
  }

  /** The bytes at `offset`, at most `bytesMax` and never across a block; empty at the head. */
  read(offset: number, bytesMax: number): Uint8Array {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const block = this.#blocks[i] as Block;
      if (offset < block.start) continue;
      const at = offset - block.start;
      return block.bytes.subarray(at, Math.min(block.used, at + bytesMax));
    }
    return noBytes;
  }

  /** The size in effect at an offset in memory. */
  sizeAt(offset: number): SizeMark {
    return this.#marks.findLast((mark) => mark.offset <= offset) ?? this.#base;
  }

  /** The first size after the mark with this sequence. */
  sizeAfter(sequence: number): SizeMark | undefined {
    return this.#marks.find((mark) => mark.sequence > sequence);
  }

  /** Lets go of blocks that are on disk and that nobody needs: from `neededFrom` on someone will read soon. */
  trim({
    writtenTo,
    neededFrom,
    blocksKept = blocksMin,
  }: {
    writtenTo: number;
    neededFrom: number;
    blocksKept?: number;
  }): void {
    while (this.#blocks.length > blocksKept) {
      const oldest = this.#blocks[0] as Block;
      const end = oldest.start + oldest.used;
      const isNeeded = end > neededFrom && this.#blocks.length <= blocksMax;
      if (end > writtenTo || isNeeded) break;
      this.#blocks.shift();
    }
    const start = this.start;
    while (this.#marks[0] !== undefined && this.#marks[0].offset <= start) this.#base = this.#marks.shift() as SizeMark;
  }

  #blockWithRoom(): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.used < blockBytes) return last;
    const block = { start: this.#head, bytes: Buffer.allocUnsafeSlow(blockBytes), used: 0 };
    this.#blocks.push(block);
    return block;
  }
}

interface Block {
  start: number;
  bytes: Buffer;
  used: number;
}

const noBytes = new Uint8Array(0);
