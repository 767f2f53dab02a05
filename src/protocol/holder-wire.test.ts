import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeJson,
  encodeFrame,
  encodeJson,
  FrameReader,
  FrameType,
  framePayloadBytesMax,
  readOffset,
  writeOffset,
} from './holder-wire.ts';

test('frames come out as they went in, cut anywhere, also when the reader reuses its buffer', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
  fc.assert(
    fc.property(payloads, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (sent, cuts) => {
      const frames = sent.map((payload, i) => encodeFrame(FrameType.input, i, 7, payload));
      const stream = Buffer.concat(frames);
      const reader = new FrameReader();
      const buffer = Buffer.alloc(256);
      const received: { channel: number; epoch: number; payload: number[] }[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const chunk = stream.subarray(at, at + (cuts[i % cuts.length] ?? 1));
        buffer.fill(0xee);
        buffer.set(chunk);
        reader.push(buffer.subarray(0, chunk.length), ({ channel, epoch }, payload) => {
          received.push({ channel, epoch, payload: [...payload] });
        });
        at += chunk.length;
      }
      expect(received).toEqual(sent.map((payload, channel) => ({ channel, epoch: 7, payload: [...payload] })));
    }),
    { seed: 11 },
  );
});

test('a payload above the limit is refused from its header on, however it is cut', () => {
  const frame = Buffer.alloc(16);
  frame.writeUInt32LE(framePayloadBytesMax + 1);
  for (let cut = 0; cut <= 12; cut++) {
    const reader = new FrameReader();
    expect(() => {
      reader.push(frame.subarray(0, cut), () => {});
      reader.push(frame.subarray(cut), () => {});
    }).toThrow(RangeError);
  }
});

test('JSON is ASCII on the wire and whole again behind it', () => {
  const value = { text: 'naïve 漢字 😀 \u2028 \ud800', nested: [1, null, true] };
  const bytes = encodeJson(value);
  expect(bytes.every((byte) => byte < 0x80)).toBe(true);
  expect(decodeJson(bytes)).toEqual(value);
  expect(() => decodeJson(Buffer.from('"ï"'))).toThrow(SyntaxError);
});

test('offsets are exact up to 2^53', () => {
  const bytes = new Uint8Array(8);
  for (const offset of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER]) {
    writeOffset(bytes, offset, 0);
    expect(readOffset(bytes, 0)).toBe(offset);
  }
});
