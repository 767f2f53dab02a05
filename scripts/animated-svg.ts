/** One character as the terminal shows it. Colours are palette numbers, `#rrggbb`, or null for the default. */
export interface Cell {
  text: string;
  column: number;
  foreground: number | string | null;
  background: number | string | null;
  isBold: boolean;
  isDim: boolean;
  isInverse: boolean;
}

export interface Frame {
  lines: readonly (readonly Cell[])[];
}

const cellWidth = 8.4;
const cellHeight = 18;
const padding = 14;
const foregroundDefault = '#d6dbe2';
const backgroundDefault = '#12161c';
const palette = ['#3b4252', '#ef6c3c', '#3bd6ab', '#ffc53d', '#459ff5', '#b48ead', '#56b6c2', '#d6dbe2'];
const brightPalette = ['#94a0ae', '#ff8b61', '#6ff0cb', '#ffd97a', '#7fbfff', '#d0a8cb', '#7fd7e0', '#ffffff'];

/**
 * A film of a terminal in one file: every different row is drawn once, every frame only names its rows, and a stepped
 * animation shows one frame after the other. Frames that are alike in a row share a drawing.
 */
export function animatedSvg(
  frames: readonly Frame[],
  size: { columns: number; rows: number; framesPerSecond: number },
): string {
  const rowIds = new Map<string, string>();
  const shown: { rows: string[]; count: number }[] = [];
  for (const frame of frames) {
    const rows = frame.lines.map((line) => {
      const drawing = drawRow(line);
      const id = rowIds.get(drawing) ?? `r${rowIds.size}`;
      rowIds.set(drawing, id);
      return id;
    });
    const last = shown.at(-1);
    if (last !== undefined && last.rows.join() === rows.join()) last.count++;
    else shown.push({ rows, count: 1 });
  }
  const width = Math.round(size.columns * cellWidth + 2 * padding);
  const height = size.rows * cellHeight + 2 * padding;
  const seconds = frames.length / size.framesPerSecond;
  let at = 0;
  const steps = shown.map(({ count }, index) => {
    const percent = ((at / frames.length) * 100).toFixed(3);
    at += count;
    return `${percent}%{transform:translateY(${-index * height}px)}`;
  });
  const symbols = [...rowIds].map(([drawing, id]) => `<g id="${id}">${drawing}</g>`);
  const groups = shown.map(({ rows }, index) => {
    const uses = rows.map((id, row) => `<use href="#${id}" y="${row * cellHeight}"/>`).join('');
    return `<g transform="translate(${padding} ${index * height + padding})">${uses}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A terminal: simulated sessions are started, listed, attached to, and survive the death of the daemon">
<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${foregroundDefault}}.film{animation:film ${seconds}s steps(1,end) infinite}@keyframes film{${steps.join('')}}@media (prefers-reduced-motion:reduce){.film{animation:none}}</style>
<defs>${symbols.join('\n')}</defs>
<rect width="100%" height="100%" rx="8" fill="${backgroundDefault}"/>
<svg width="${width}" height="${height}"><g class="film">${groups.join('\n')}</g></svg>
</svg>
`;
}

/** Runs of cells that look alike, as backgrounds and texts. */
function drawRow(line: readonly Cell[]): string {
  let drawing = '';
  for (let at = 0; at < line.length; ) {
    const first = line[at] as Cell;
    let end = at + 1;
    while (end < line.length && looksLike(first, line[end] as Cell)) end++;
    const run = line.slice(at, end);
    const ink = run.findIndex((cell) => cell.text !== ' ');
    const text = run
      .map((cell) => cell.text)
      .join('')
      .trim();
    const next = line[end];
    const columns = (next?.column ?? (run.at(-1)?.column ?? 0) + 1) - first.column;
    const { fill, back } = colorsOf(first);
    if (back !== null) {
      drawing += `<rect x="${px(first.column)}" width="${px(columns)}" height="${cellHeight}" fill="${back}"/>`;
    }
    if (text !== '') {
      const weight = first.isBold ? ' font-weight="bold"' : '';
      const opacity = first.isDim ? ' opacity="0.6"' : '';
      const color = fill === foregroundDefault ? '' : ` style="fill:${fill}"`;
      // Only what is seen: viewers differ in what they make of blanks at the ends.
      const start = run[ink]?.column ?? first.column;
      const last = run.findLast((cell) => cell.text !== ' ');
      const width = (last?.column ?? start) + 1 - start;
      drawing += `<text x="${px(start)}" y="13.5" textLength="${px(width)}"${color}${weight}${opacity}>${escaped(text)}</text>`;
    }
    at = end;
  }
  return drawing;
}

function looksLike(a: Cell, b: Cell): boolean {
  return (
    a.foreground === b.foreground &&
    a.background === b.background &&
    a.isBold === b.isBold &&
    a.isDim === b.isDim &&
    a.isInverse === b.isInverse
  );
}

function colorsOf(cell: Cell): { fill: string; back: string | null } {
  const fore = colorOf(cell.foreground) ?? foregroundDefault;
  const back = colorOf(cell.background);
  return cell.isInverse ? { fill: back ?? backgroundDefault, back: fore } : { fill: fore, back };
}

function colorOf(color: number | string | null): string | null {
  if (color === null || typeof color === 'string') return color;
  if (color < 8) return palette[color] ?? null;
  if (color < 16) return brightPalette[color - 8] ?? null;
  if (color >= 232) return grey(8 + (color - 232) * 10);
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const index = color - 16;
  const parts = [Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6].map(level);
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function grey(value: number): string {
  return `#${value.toString(16).padStart(2, '0').repeat(3)}`;
}

function px(columns: number): string {
  return (columns * cellWidth).toFixed(1);
}

function escaped(text: string): string {
  // Not every viewer keeps ordinary spaces.
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(' ', '\u00a0');
}
