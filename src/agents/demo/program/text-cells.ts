/** Cells a text takes in a terminal: 0 for combining marks, 2 for East Asian wide characters and emoji, else 1. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOfCharacter(character);
  return cells;
}

/** The longest beginning that fits into `cells`; an ellipsis marks a cut. */
export function clipped(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  if (cells <= 0) return '';
  let kept = '';
  let used = 0;
  for (const character of text) {
    const width = cellsOfCharacter(character);
    if (used + width > cells - 1) break;
    kept += character;
    used += width;
  }
  return `${kept}…`;
}

/** Lines of at most `cells` cells, broken at spaces where there are any. Line breaks of the text are kept. */
export function wrapped(text: string, cells: number): string[] {
  return text.split('\n').flatMap((line) => wrappedLine(line, Math.max(1, cells)));
}

function wrappedLine(line: string, cells: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (cellsOf(longer) <= cells) {
      current = longer;
      continue;
    }
    if (current !== '') lines.push(current);
    const pieces = cut(word, cells);
    lines.push(...pieces.slice(0, -1));
    current = pieces.at(-1) ?? '';
  }
  lines.push(current);
  return lines;
}

function cut(word: string, cells: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const character of word) {
    const width = cellsOfCharacter(character);
    if (used + width > cells && piece !== '') {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += character;
    used += width;
  }
  return [...pieces, piece];
}

function cellsOfCharacter(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (combining.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

const combining = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const wide =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u;
