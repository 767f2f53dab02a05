import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Terminal as HeadlessTerminal } from '@xterm/headless';
import { spawn } from 'node-pty';
import { animatedSvg, type Cell, type Frame } from './animated-svg.ts';

/**
 * Records the README's picture: types real commands into a real shell in a private home, looks at the terminal a few
 * times a second, and writes an animated SVG. `node scripts/record-demo.ts [file]`, after `npm run build`. Takes 40 s.
 */
const root = resolve(import.meta.dirname, '..');
const target = process.argv[2] ?? join(root, 'docs', 'demo.svg');
const columns = 100;
const rows = 26;
const looksPerSecond = 4;

/** What a person would type, what they wait to see, and how long they then look at it. */
const script: { type: string; until: string; lookMs: number }[] = [
  { type: 'concert demo start\r', until: 'No model is called', lookMs: 800 },
  { type: 'concert wait 1 --for blocked; clear; concert ls\r', until: 'Next: concert', lookMs: 5000 },
  { type: 'concert attach 1\r', until: 'Yes, this once', lookMs: 4000 },
  { type: 'y', until: 'Migrat', lookMs: 4000 },
  { type: '\x1dd', until: 'Back: concert attach', lookMs: 1200 },
  { type: 'clear; concert explain 1 | head -9\r', until: 'Older evidence', lookMs: 4000 },
  {
    type: 'kill -9 $(concert status --json | sed "s/.*pid.:\\([0-9]*\\).*/\\1/")   # the daemon dies\r',
    until: '$ \n',
    lookMs: 1200,
  },
  { type: 'concert ls   # nothing was lost\r', until: 'Next: concert', lookMs: 6000 },
  { type: 'concert diff 3 --stat\r', until: 'file', lookMs: 3000 },
];
/** Longest wait for what should be seen; the recording then fails. */
const untilMsMax = 30_000;

const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as { Terminal: typeof HeadlessTerminal };
const home = mkdtempSync(join(tmpdir(), 'cm-'));
const terminal = new Terminal({ cols: columns, rows, allowProposedApi: true });
const env = {
  PATH: `${join(root, 'bin')}:${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  HOME: home,
  CONCERT_HOME: join(home, 'c'),
  LANG: 'C.UTF-8',
  TERM: 'xterm-256color',
  COLORTERM: 'truecolor',
  PS1: '\\[\\e[32m\\]$\\[\\e[0m\\] ',
};
const shell = spawn('bash', ['--norc', '--noprofile', '-i'], { cols: columns, rows, cwd: home, env, encoding: null });
shell.onData((data) => terminal.write(data as unknown as Uint8Array));
terminal.onData((data) => shell.write(data));

const frames: Frame[] = [];
const watch = setInterval(() => frames.push(look()), 1000 / looksPerSecond);
try {
  await pause(600);
  for (const { type, until, lookMs } of script) {
    await typeSlowly(type);
    await seen(until);
    await pause(lookMs);
  }
} finally {
  clearInterval(watch);
  shell.write('\x1ddconcert demo stop --yes >/dev/null 2>&1; concert down >/dev/null 2>&1; exit\r');
  await new Promise<void>((ended) => shell.onExit(() => ended()));
  rmSync(home, { recursive: true, force: true });
}
writeFileSync(target, animatedSvg(frames, { columns, rows, framesPerSecond: looksPerSecond }));
process.stdout.write(`Wrote ${target}: ${frames.length} frames, ${Math.round(frames.length / looksPerSecond)} s\n`);

async function typeSlowly(text: string): Promise<void> {
  for (const character of text.startsWith('\x1d') ? [text] : text) {
    shell.write(character);
    await pause(18);
  }
}

/** Resolves when the text stands on the screen below what was there before; `$ \n` is an empty prompt. */
async function seen(text: string): Promise<void> {
  const deadline = performance.now() + untilMsMax;
  await pause(300);
  while (!shows(text)) {
    if (performance.now() > deadline) throw new Error(`"${text}" was not seen`);
    await pause(50);
  }
}

function shows(text: string): boolean {
  const lines = look().lines.map((cells) =>
    cells
      .map((cell) => cell.text)
      .join('')
      .trimEnd(),
  );
  if (text === '$ \n') return lines.filter((line) => line !== '').at(-1) === '$';
  return lines.some((line) => line.includes(text));
}

function pause(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}

function look(): Frame {
  const { active } = terminal.buffer;
  const lines: Cell[][] = [];
  for (let y = 0; y < rows; y++) {
    const line = active.getLine(active.viewportY + y);
    const cells: Cell[] = [];
    for (let x = 0; x < columns && line !== undefined; x++) {
      const cell = line.getCell(x);
      if (cell === undefined || cell.getWidth() === 0) continue;
      cells.push({
        text: cell.getChars() || ' ',
        column: x,
        foreground: cell.isFgRGB() ? hex(cell.getFgColor()) : cell.isFgPalette() ? cell.getFgColor() : null,
        background: cell.isBgRGB() ? hex(cell.getBgColor()) : cell.isBgPalette() ? cell.getBgColor() : null,
        isBold: cell.isBold() !== 0,
        isDim: cell.isDim() !== 0,
        isInverse: cell.isInverse() !== 0,
      });
    }
    lines.push(cells);
  }
  return { lines };
}

function hex(color: number): string {
  return `#${color.toString(16).padStart(6, '0')}`;
}
