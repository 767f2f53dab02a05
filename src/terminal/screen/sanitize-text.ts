/**
 * Characters that would act on whoever shows the text: C0 and C1 controls, the bidirectional controls, line and
 * paragraph separators, byte order marks and tag characters.
 */
const acting = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** Text from a program as it may be shown: one line, nothing in it that acts, at most `charactersMax` UTF-16 units. */
export function sanitizeText(text: string, charactersMax: number): string {
  // Cut before and after: a hostile text may be very long and mostly vanish.
  const clean = text
    .slice(0, charactersMax * 4)
    .replace(acting, '')
    .trim();
  if (clean.length <= charactersMax) return clean;
  const isSplit = clean.charCodeAt(charactersMax - 1) >> 10 === 0x36;
  return clean.slice(0, isSplit ? charactersMax - 1 : charactersMax);
}
