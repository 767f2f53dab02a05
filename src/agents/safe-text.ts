/** Longest detail kept with a piece of evidence, in code points: two lines of a list row. */
export const detailLengthMax = 200;

/**
 * Text of an agent made safe to show anywhere on one line: control characters and line breaks become spaces, marks
 * that reorder or hide text are dropped, broken surrogates are replaced, and it is cut at `lengthMax` code points.
 */
export function safeText(text: string, lengthMax: number = detailLengthMax): string {
  const roughly = text.slice(0, lengthMax * 8);
  const clean = roughly
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(hiding, '')
    .replace(breaking, ' ')
    .trim();
  const points = [...clean];
  return points.length <= lengthMax ? clean : `${points.slice(0, lengthMax - 1).join('')}…`;
}

/** Bidirectional controls, zero-width and invisible format characters, variation tags. */
const hiding = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
/** Spaces of any kind together with C0, DEL, C1 and the Unicode line breaks. */
const breaking = /[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
