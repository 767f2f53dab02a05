/** Ends whatever is half printed: CAN for a sequence, ST for a string. */
const abort = '\u0018\u001b\\';

/** Drops all keyboard modes of the kitty protocol and of modifyOtherKeys on the present screen. */
const plainKeyboard = '\u001b[<64u\u001b[=0;1u\u001b[>4m';

const off = (...modes: number[]) => `\u001b[?${modes.join(';')}l`;

/**
 * What an agent may have switched on, off again, as a fresh terminal has it: synchronized output, the alternate screen,
 * mouse, focus and paste reports, colour scheme and size reports, keypad and cursor keys, origin, reverse video,
 * margins, insert mode, character sets, tab stops, colours, links, cursor.
 */
const modesOff = [
  abort,
  off(2026),
  plainKeyboard,
  off(1049),
  plainKeyboard,
  off(1000, 1002, 1003, 1005, 1006, 1015, 1016, 1004, 2004, 2031, 2048),
  off(1, 5, 6, 66, 69, 1007),
  '\u001b[?7;25h\u001b>\u001b[4l\u001b[20l',
  '\u001b[r\u001b(B\u001b)B\u000f\u001b[?5W',
  '\u001b[0m\u001b]8;;\u001b\\\u001b]104\u001b\\\u001b]110\u001b\\\u001b]111\u001b\\\u001b]112\u001b\\\u001b[0 q',
].join('');

/** The state of a fresh terminal with an empty screen; what has scrolled off stays. */
export const freshScreen = `${modesOff}\u001b[H\u001b[J\u001b7`;

/** Puts our title on top of the one the terminal has. */
export const saveTitle = '\u001b[22;0t';

/** Pushes what stands on the screen out of sight but not away, so that it is there to scroll to. */
export function scrollAway(rows: number): string {
  return `\u001b[${rows};1H${'\n'.repeat(rows)}`;
}

/** Gives the terminal back: modes off, its own title, the cursor on a free line below what stands there. */
export function leaveTerminal(rows: number): string {
  return `${modesOff}\u001b[${rows};1H\r\n\u001b[23;0t`;
}

/** A line of our own over the bottom row; the cursor comes back. */
export function bottomLine(text: string, rows: number): string {
  return `\u001b7\u001b[?6l\u001b[${rows};1H\u001b[0;7m ${text} \u001b[0m\u001b[K\u001b8`;
}

export function titleOf(text: string): string {
  return `\u001b]0;${text}\u001b\\`;
}
