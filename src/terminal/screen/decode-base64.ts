const pattern = /^[A-Za-z0-9+/]*={0,2}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text behind base64 of UTF-8; undefined when it is not exactly that. Padding may be missing. */
export function decodeBase64Text(base64: string): string | undefined {
  if (!pattern.test(base64) || base64.replace(/=+$/, '').length % 4 === 1) return undefined;
  try {
    return utf8.decode(Buffer.from(base64, 'base64'));
  } catch {
    // Not UTF-8: the caller drops it, as for any other malformed text.
    return undefined;
  }
}
