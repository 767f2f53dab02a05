import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockBytes, OutputTail } from './output-tail.ts';

function readAll(tail: OutputTail, from: number, step: number): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = from; at < tail.head; ) {
    const bytes = tail.read(at, step);
    parts.push(bytes);
    at += bytes.length;
  }
  return Buffer.concat(parts);
}

test('gives back every byte from every offset, in views that never change', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3 * blockBytes), { maxLength: 6 }),
      fc.integer({ min: 1, max: blockBytes }),
      (sizes, step) => {
        const tail = new OutputTail(1000, 80, 24);
        const views: Uint8Array[] = [];
        const parts = sizes.map((size, i) => Buffer.alloc(size, i + 1));
        for (const part of parts) tail.append(part, (view) => views.push(view));
        const all = Buffer.concat(parts);
        expect(tail.head).toBe(1000 + all.length);
        expect(Buffer.concat(views).equals(all)).toBe(true);
        expect(readAll(tail, tail.start, step).equals(all)).toBe(true);
      },
    ),
    { numRuns: 50, seed: 3 },
  );
});

test('lets go only of what is on disk and older than its newest blocks', () => {
  const tail = new OutputTail(0, 80, 24);
  tail.append(Buffer.alloc(5 * blockBytes), () => {});
  const { head } = tail;
  tail.trim({ writtenTo: 2 * blockBytes - 1, neededFrom: head });
  expect(tail.start).toBe(blockBytes);
  tail.trim({ writtenTo: head, neededFrom: 2 * blockBytes + 1 });
  expect(tail.start).toBe(2 * blockBytes);
  tail.trim({ writtenTo: head, neededFrom: head });
  expect(tail.start).toBe(3 * blockBytes);
  tail.trim({ writtenTo: head, neededFrom: head, blocksKept: 0 });
  expect({ start: tail.start, head: tail.head }).toEqual({ start: 5 * blockBytes, head: 5 * blockBytes });
});

test('keeps half a megabyte at most for those who lag', () => {
  const tail = new OutputTail(0, 80, 24);
  tail.append(Buffer.alloc(50 * blockBytes), () => {});
  tail.trim({ writtenTo: tail.head, neededFrom: 0 });
  expect(tail.head - tail.start).toBe(512 * 1024);
});

test('knows the size at each offset, also after the blocks before it are gone', () => {
  const tail = new OutputTail(0, 80, 24);
  tail.append(Buffer.alloc(blockBytes), () => {});
  tail.resize(100, 30);
  tail.append(Buffer.alloc(blockBytes), () => {});
  for (let columns = 101; columns <= 200; columns++) tail.resize(columns, 40);
  tail.append(Buffer.alloc(blockBytes), () => {});
  expect(tail.sizeAt(blockBytes - 1)).toMatchObject({ columns: 80, rows: 24 });
  expect(tail.sizeAt(blockBytes)).toMatchObject({ columns: 100, rows: 30 });
  expect(tail.sizeAt(2 * blockBytes)).toMatchObject({ offset: 2 * blockBytes, columns: 200, rows: 40 });
  const { sequence } = tail.sizeAt(blockBytes);
  expect(tail.sizeAfter(sequence)).toMatchObject({ columns: 200, rows: 40 });
  tail.trim({ writtenTo: tail.head, neededFrom: tail.head, blocksKept: 1 });
  expect(tail.sizeAt(tail.start)).toMatchObject({ columns: 200, rows: 40 });
});
