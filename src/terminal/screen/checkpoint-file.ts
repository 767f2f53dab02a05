import { open, readFile, rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Checkpoint } from './screen-model.ts';

/**
 * A checkpoint on disk: `CMSC`, u8 version, u8 zero, u16 columns, u16 rows, u16 incarnation, u64 offset, u32 length, u32
 * CRC-32 of the bytes and of all that stands before it, then the bytes. Little endian.
 */
const magic = 0x4353_4d43;
const version = 2;
const headerBytes = 28;

export interface SavedScreen {
  /** Of the session, modulo 2^16: the log of one goes on where that of the one before ended. */
  incarnation: number;
  checkpoint: Checkpoint;
}

/** Replaces the file whole and durably: a reader finds the old one or the new one, also after a power cut. */
export async function writeCheckpointFile(path: string, { incarnation, checkpoint }: SavedScreen): Promise<void> {
  const { offset, columns, rows, bytes } = checkpoint;
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(magic, 0);
  header.writeUInt8(version, 4);
  header.writeUInt16LE(columns, 6);
  header.writeUInt16LE(rows, 8);
  header.writeUInt16LE(incarnation % 0x1_0000, 10);
  header.writeBigUInt64LE(BigInt(offset), 12);
  header.writeUInt32LE(bytes.length, 20);
  header.writeUInt32LE(crc32(bytes, crc32(header.subarray(0, 24))), 24);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writev([header, bytes]);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** Null when there is none or it is damaged: the screen is then rebuilt from the log. */
export async function readCheckpointFile(path: string): Promise<SavedScreen | null> {
  const file = await readFile(path).catch(() => null);
  if (file === null || file.length < headerBytes) return null;
  const bytes = new Uint8Array(file.subarray(headerBytes));
  const isSound =
    file.readUInt32LE(0) === magic &&
    file.readUInt8(4) === version &&
    file.readUInt32LE(20) === bytes.length &&
    file.readUInt32LE(24) === crc32(bytes, crc32(file.subarray(0, 24)));
  if (!isSound) return null;
  const offset = Number(file.readBigUInt64LE(12));
  return {
    incarnation: file.readUInt16LE(10),
    checkpoint: { offset, columns: file.readUInt16LE(6), rows: file.readUInt16LE(8), bytes },
  };
}
