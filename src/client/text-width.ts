/** Ranges of two-column characters (East Asian Width W and F of Unicode 16, small holes closed), first and last. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];
/** Vowels and finals that join the syllable before them. */
const isJoinedJamo = (point: number) => point >= 0x1160 && point <= 0x11ff;
const isRegionalIndicator = (point: number) => point >= 0x1f1e6 && point <= 0x1f1ff;

/** Terminal columns the text takes. For text without controls. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** The text, cut at the end so that it takes at most `columns`; what was cut is told by `ellipsis`. */
export function fitText(text: string, columns: number, ellipsis = '…'): string {
  if (textWidth(text) <= columns) return text;
  const room = columns - textWidth(ellipsis);
  if (room < 0) return ellipsis.slice(0, Math.max(0, columns));
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += characterWidth(character);
    if (width > room) break;
    end += character.length;
  }
  return `${text.slice(0, end).trimEnd()}${ellipsis}`;
}

/** Fitted and filled up with spaces to exactly `columns`. */
export function padText(text: string, columns: number, side: 'start' | 'end' = 'end', ellipsis = '…'): string {
  const fitted = fitText(text, columns, ellipsis);
  const fill = ' '.repeat(Math.max(0, columns - textWidth(fitted)));
  return side === 'end' ? fitted + fill : fill + fitted;
}

function characterWidth(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x300) return 1;
  if (isJoinedJamo(point) || /[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0;
  if (isRegionalIndicator(point)) return 1;
  if (/\p{Emoji_Presentation}/u.test(character)) return 2;
  return wideRanges.some(([first, last]) => point >= first && point <= last) ? 2 : 1;
}
