import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Terminal output as agents make it. `log`: coloured lines of a build or a test run. `tui`: synchronized frames of an
 * inline agent screen that erase and repaint their live part (spinner, todo list, input box) in true colour.
 */
export type PayloadKind = 'log' | 'tui';

const words =
  'the agent reads file and writes patch test build error warn import const return function session worktree merge review 漢字 naïve → ✓ ● module handle stream buffer client server'.split(
    ' ',
  );

/** A file of at least `bytes`, made once per folder; the same bytes every time. */
export function payloadFile(folder: string, kind: PayloadKind, bytes: number): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${kind}-${bytes}.bin`);
  if (!existsSync(path)) writeFileSync(path, kind === 'log' ? logPayload(bytes) : tuiPayload(bytes));
  return path;
}

/** About 120 bytes, one frame of a spinner line. */
export function spinnerFrame(step: number): string {
  return `\x1b[?2026h\r\x1b[2K\x1b[38;2;215;119;87m${'✻✽✶✳·✢'[step % 6]} Working…\x1b[39m \x1b[2m(${step % 1000}s · ↑ ${step % 97}k tokens · esc to interrupt)\x1b[22m\x1b[?2026l`;
}

function logPayload(bytes: number): Buffer {
  const chance = random(7);
  const lines: string[] = [];
  for (let length = 0, i = 0; length < bytes; i++) {
    let line = `\x1b[90m12:${String((i % 60) + 100).slice(1)}:00\x1b[0m \x1b[3${1 + (i % 6)}m${i % 3 ? 'info' : 'WARN'}\x1b[39m `;
    const width = 40 + chance() * 130;
    for (let columns = 0; columns < width; ) {
      const word = words[Math.floor(chance() * words.length)] ?? '';
      line += chance() < 0.1 ? `\x1b[1;38;5;${16 + Math.floor(chance() * 200)}m${word}\x1b[0m ` : `${word} `;
      columns += word.length + 1;
    }
    lines.push(`${line}\n`);
    length += Buffer.byteLength(line) + 1;
  }
  return Buffer.from(lines.join(''));
}

function tuiPayload(bytes: number): Buffer {
  const columns = 200;
  const liveRows = 14;
  const chance = random(9);
  const fill = (width: number) => {
    let text = '';
    while (text.length < width) text += `${words[Math.floor(chance() * 18)]} `;
    return text.slice(0, width);
  };
  const grey = (text: string) => `\x1b[38;2;136;136;136m${text}\x1b[39m`;
  const frames: string[] = [];
  for (let length = 0, i = 0; length < bytes; i++) {
    let frame = '\x1b[?2026h';
    if (i > 0) frame += `${'\x1b[2K\x1b[1A'.repeat(liveRows)}\x1b[2K\x1b[G`;
    if (i % 4 === 0)
      frame += `\x1b[38;2;215;119;87m●\x1b[39m \x1b[1m${fill(30)}\x1b[22m\r\n  \x1b[2m⎿  ${fill(90)}\x1b[22m\r\n`;
    frame += `\x1b[38;2;${150 + (i % 100)};119;87m${'✻✽✶✳·✢'[i % 6]} ${fill(18)}…\x1b[39m \x1b[38;2;153;153;153m(${i % 600}s · ↑ ${i % 97}k tokens)\x1b[39m\r\n`;
    for (let k = 0; k < 8; k++) frame += `  \x1b[38;2;78;186;101m☒\x1b[39m \x1b[9m${fill(60)}\x1b[29m\r\n`;
    const inner = columns - 2;
    frame += `${grey(`╭${'─'.repeat(inner)}╮`)}\r\n${grey('│')} >\x1b[7m \x1b[27m${' '.repeat(inner - 3)}${grey('│')}\r\n${grey(`╰${'─'.repeat(inner)}╯`)}\r\n`;
    frame += `  \x1b[2m? for shortcuts\x1b[22m\x1b[100G\x1b[38;2;255;193;7m${fill(20)}\x1b[39m\r\n\r\n\x1b[?25l\x1b[?2026l`;
    frames.push(frame);
    length += Buffer.byteLength(frame);
  }
  return Buffer.from(frames.join(''));
}

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
