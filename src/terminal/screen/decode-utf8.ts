/**
 * Text of UTF-8 bytes. Broken, overlong and surrogate sequences and byte order marks leave nothing behind, as in the
 * engine's own decoder; with `dropControls` neither do C0 controls.
 */
export function decodeUtf8(bytes: Uint8Array, dropControls = false): string {
  let text = '';
  let missing = 0;
  let code = 0;
  let min = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (missing > 0 && (byte & 0xc0) === 0x80) {
      code = (code << 6) | (byte & 0x3f);
      if (--missing > 0) continue;
      if (code >= min && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfeff)
        text += String.fromCodePoint(code);
      continue;
    }
    missing = 0;
    if (byte < 0x80) {
      if (byte >= 0x20 || !dropControls) text += String.fromCharCode(byte);
    } else if ((byte & 0xe0) === 0xc0) {
      missing = 1;
      code = byte & 0x1f;
      min = 0x80;
    } else if ((byte & 0xf0) === 0xe0) {
      missing = 2;
      code = byte & 0x0f;
      min = 0x800;
    } else if ((byte & 0xf8) === 0xf0) {
      missing = 3;
      code = byte & 0x07;
      min = 0x10000;
    }
  }
  return text;
}
