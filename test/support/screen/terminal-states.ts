/** One state of a terminal that an attach must carry over. */
export interface TerminalState {
  name: string;
  /** Brings the state about and then shows it: what comes after a cut depends on what came before. */
  stream: string;
  /** What carries the state in a checkpoint. Taken out, the suite must notice. */
  carriedBy: RegExp;
}

/** The 19 states of terminal.md section 0, each followed by output that shows it. */
export const terminalStates: readonly TerminalState[] = [
  { name: 'truecolour pen', stream: '\x1b[38;2;1;2;3mA\r\nB', carriedBy: /38;2;1;2;3/ },
  { name: 'curly underline and its colour', stream: '\x1b[4:3m\x1b[58;2;9;8;7mA B', carriedBy: /4:3|58:2::9:8:7/ },
  { name: 'link', stream: '\x1b]8;;http://a.b/\x07L M\x1b]8;;\x07N', carriedBy: /\x1b\]8;;http[^\x1b]*\x1b\\/ },
  {
    name: 'alternate screen, normal beneath, both cursors, saved cursor',
    stream:
      'one\r\ntwo\x1b[2;2H\x1b[1m\x1b7\x1b[m\x1b[3;5H\x1b[?1049h\x1b[4;4HX\x1b[3m\x1b7\x1b[m\x1b[HY\x1b8Z\x1b[?1049lW\x1b8V',
    carriedBy: /\x1b\[\?1047h/,
  },
  { name: 'mouse 1002', stream: '\x1b[?1002hA', carriedBy: /\x1b\[\?1002h/ },
  { name: 'mouse encoding 1006', stream: '\x1b[?1002;1006hA', carriedBy: /\x1b\[\?1006h/ },
  { name: 'focus reports 1004', stream: '\x1b[?1004hA', carriedBy: /\x1b\[\?1004h/ },
  { name: 'bracketed paste', stream: '\x1b[?2004hA', carriedBy: /\x1b\[\?2004h/ },
  {
    name: 'keyboard flags and stacks',
    stream: '\x1b[>5u\x1b[>7u\x1b[?1049h\x1b[=3u\x1b[>1u\x1b[?1049l\x1b[<u\x1b[?1049h\x1b[<u\x1b[?1049l\x1b[<u',
    carriedBy: /\x1b\[[>=]\d+u/,
  },
  { name: 'modifyOtherKeys', stream: '\x1b[>4;2mA\x1b[>4mB', carriedBy: /\x1b\[>4;2m/ },
  { name: 'hidden cursor', stream: '\x1b[?25lA', carriedBy: /\x1b\[\?25l/ },
  { name: 'cursor shape', stream: '\x1b[5 qA\x1b[2 qB', carriedBy: /\x1b\[\d q/ },
  { name: 'scroll region', stream: '\x1b[3;5r\x1b[5;1HA\nB\nC\nD\x1b[2;1HE', carriedBy: /\x1b\[3;5r/ },
  { name: 'tab stops', stream: '\x1b[3g\x1b[1;5H\x1bH\x1b[1;9H\x1bH\r\tA\tB\tC', carriedBy: /\x1b\[\d+G\x1bH/ },
  { name: 'title', stream: '\x1b]2;hello\x07A', carriedBy: /\x1b\]2;hello\x1b\\/ },
  { name: 'palette', stream: '\x1b]4;1;#010203\x07A', carriedBy: /\x1b\]4;1;#010203\x1b\\/ },
  { name: 'folder', stream: '\x1b]7;file:///x\x07A', carriedBy: /\x1b\]7;file:\/\/\/x\x1b\\/ },
  {
    name: 'charsets G0 to G3 and shifts',
    stream: '\x1b(0q\x1b)A#\x0e#\x1b*0\x1bnq\x1b+4\x1bo#\x0fq\x1b(Bq',
    carriedBy: /\x1b[()*+][0A4]/,
  },
  {
    name: 'half-read sequence, string and character',
    stream: 'A\x1b[38;2;1;2;3mB\x1b]2;title\x1b\\é漢👍\x1bP$qm\x1b\\\x1b_Gx\x1b\\\x1b^p\x1b\\\x1b(0q',
    carriedBy: /\x1b[^\x1b]{0,2}$/,
  },
];

/** States beyond the 19 that a stream can leave behind. */
export const moreStates: readonly Omit<TerminalState, 'carriedBy'>[] = [
  { name: 'origin mode', stream: '\x1b[3;6r\x1b[?6h\x1b[2;3HA\x1b[9;1HB\x1b[?6l\x1b[1;1HC' },
  { name: 'insert mode', stream: 'abc漢def\x1b[1;2H\x1b[4hXY漢\u0301Z\x1b[4lW' },
  { name: 'autowrap off', stream: '\x1b[?7l0123456789012345678901234567890\x1b[31mX\x1b[?7hYZ' },
  { name: 'wide characters at the edge with autowrap off', stream: '\x1b[1;18H\x1b[?7la漢b\x1b[1mc\r\nd\x1b[?7h' },
  { name: 'wrap due at the last column', stream: '01234567890123456789\x1b[1m\x1b[?25lA\r\n0123456789012345678漢B' },
  { name: 'wrap due in a row since erased', stream: '01234567890123456789\x1b[44m\x1b[2KA\x1b[2J\x1b[mB' },
  { name: 'reverse video', stream: '\x1b[?5hA\x1b[?5lB' },
  { name: 'application cursor keys and keypad', stream: '\x1b[?1h\x1b=A\x1b[?66l\x1b[?1lB' },
  {
    name: 'everything DECSC keeps',
    stream: 'ab\x1b[1;4;31;44m\x1b)0\x1b[3;6r\x1b[?6h\x1b[2;2H\x0e\x1b7\x0f\x1b[?6l\x1b[m\x1b[rq\x1b[?7l\x1b[H\x1b8qX',
  },
  { name: 'cursor saved where a wrap is due', stream: '01234567890123456789\x1b7\r\nA\x1b8B' },
  { name: 'cursor saved above the screen', stream: 'a\r\nb\x1b7\n\n\n\n\n\n\n\n\n\n\x1b8X' },
  {
    name: 'cursor saved on the screen that is not shown',
    stream: '\x1b[?47h\x1b[4;7H\x1b[35m\x1b7\x1b[m\x1b[?47lA\x1b[?47h\x1b8B',
  },
  {
    name: 'pen that DECRC left contradicting its link',
    stream: '\x1b7\x1b]8;;http://a\x07b\x1b8c\x1b[1md\x1b[4me\x1b[mf',
  },
  {
    name: 'wide and combining characters',
    stream: '漢字e\u0301👍👍\u200d👍あ\u3099\x1b[1;2HX\x1b[1;8HY\x1b[1;10H\x1b[@\x1b[P',
  },
  { name: 'combining character to come', stream: 'ae\u0301\u0302\r\nb\x1b[m\u0301c' },
  { name: 'repetition to come', stream: 'a\x1b[3b漢\x1b[2b\r\nb\x1b[m\x1b[2bc' },
  { name: 'rows that go on', stream: 'The quick brown fox jumps over the lazy 漢字 dog and on and on\r\nshort' },
  {
    name: 'a row that goes on from one erased',
    stream: '0123456789012345678901234\x1b[1;1H\x1b[20X\x1b[2;1H\x1b[1;31mA',
  },
  { name: 'rows that go on, scrolled off', stream: 'The quick brown fox jumps over the lazy dog. '.repeat(5) },
  {
    name: 'background of erased cells',
    stream: '\x1b[44m\x1b[2J\x1b[3;3H\x1b[41m\x1b[5X\x1b[1K\x1b[m\x1b[5;1HA\x1b[7;1H\n\x1b[42m\n',
  },
  {
    name: 'cells left over from wide characters',
    stream: '\x1b[31;4m漢字\x1b[1;2HX\x1b[1;3H\x1b[1mY\x1b[1;19H漢\x1b[1;20HZ',
  },
  { name: 'protected cells', stream: 'a\x1b[1"qb\x1b[mc\x1b[1"qd\x1b[0"qe\x1b[?2Kf' },
  {
    name: 'every attribute',
    stream: '\x1b[1;2;3;5;7;8;9;53;21mA\x1b[22;55mB\x1b[4:4mC\x1b[4:5;58:5:9mD\x1b[59mE\x1b[mF',
  },
  {
    name: 'every kind of colour',
    stream: '\x1b[31;42mA\x1b[95;106mB\x1b[38;5;9;48;5;200mC\x1b[38:2::1:2:3;48;2;0;0;0mD\x1b[39mE\x1b[49mF',
  },
  {
    name: 'tab stops and region of the alternate screen',
    stream: '\x1b[?1049h\x1b[3g\x1b[1;4H\x1bH\x1b[2;4r\r\tA\x1b[4;1H\n\nB\x1b[?1049l\tC',
  },
  {
    name: 'titles put aside',
    stream: '\x1b]0;one\x07\x1b[22t\x1b]2;two\x07\x1b]1;icon\x07\x1b[22;2t\x1b]2;three\x07\x1b[23t\x1b[23;2t',
  },
  {
    name: 'colours beside the palette',
    stream: '\x1b]10;#fff\x07\x1b]11;rgb:0/0/0;#123\x07\x1b]110\x07\x1b]4;2;#abc;3;#def\x07\x1b]104;2\x07A',
  },
  { name: 'progress and pointer', stream: '\x1b]9;4;1;30\x07\x1b]22;text\x07A\x1b]9;4;0\x07' },
  {
    name: 'program status records',
    stream: '\x1b]7501;state=working:app=x\x07\x1b]7501;state=blocked:kind=question:id=a/b\x1b\\A',
  },
  { name: 'synchronized output', stream: 'A\x1b[?2026h\x1b[2J\x1b[HB\x1b[?2026lC' },
  { name: 'colour scheme reports, reverse wraparound', stream: '\x1b[?2031;45h01234567890123456789A\b\b\bB' },
  { name: 'new line mode', stream: 'ab\x1b[20h\ncd\x1b[20l\nef' },
  { name: 'mouse in pixels', stream: '\x1b[?1003;1016hA\x1b[?1003lB' },
  {
    name: 'link with an id, over rows',
    stream:
      '\x1b]8;id=k:z=1;http://a/?x;y\x07this link is longer than one row\x1b]8;id=k;http://a/?x;y\x07!\x1b]8;;\x07.',
  },
  { name: 'controls inside a sequence', stream: 'ab\x1b[3\n1\r;4\x07mC\x1b[2\x08CD\x1b(\n0q' },
  { name: 'sequences broken off', stream: 'a\x1b[1\x18b\x1b]2;x\x1ac\x1bPq\x1b[31md\x1b]2;y\x1b(0q\x1b[3é\x1bc' },
  { name: 'eight-bit controls', stream: '\x9b31mA\x9d2;t\x9cB\x90$qm\x9cC\x84D\x85E\x88' },
  { name: 'screen alignment pattern', stream: '\x1b[32m\x1b#8\x1b[2;2HA' },
  { name: 'full and soft reset', stream: '\x1b[1;31m\x1b(0\x1b[3;5r\x1b[?1h\x1b]2;t\x07a\x1b[!pb\x1bcc' },
  {
    name: 'scrolling both ways in a region',
    stream: '1\r\n2\r\n3\r\n4\r\n5\x1b[2;4r\x1b[2;1H\x1bMa\x1b[4;1H\x1bDb\x1b[2S\x1b[T\x1b[2L\x1b[M',
  },
];

/** What a listing cannot show standing still: tab stops, charsets, region, saved cursor, repetition, wrapping. */
export const probe =
  '\x1b[2bprobe\t\tt\x0eq\x0fq\x1bnq\x1boq\x0f\n\n\x1b8R\x1b[K\x1b[u\b\bZ\n\n\n\n\n\x1bM\x1b[99;99HWW';

/** What agents print: a frame of a full-screen program, synchronized, with erased and repainted rows. */
export function frames(count: number, columns: number): string {
  let out = '';
  for (let i = 0; i < count; i++) {
    out += '\x1b[?2026h';
    if (i > 0) out += `${'\x1b[2K\x1b[1A'.repeat(4)}\x1b[2K\x1b[G`;
    if (i % 2 === 0)
      out += '\x1b[38;2;215;119;87m●\x1b[39m \x1b[1mread\x1b[22m file.ts 漢字\r\n  \x1b[2m⎿  done\x1b[22m\r\n';
    out += `\x1b[38;2;${150 + i};119;87m✻ Working…\x1b[39m (${i}s · esc)\r\n  \x1b[9mtodo ${i}\x1b[29m\r\n`;
    out += `\x1b[38;2;136;136;136m╭${'─'.repeat(columns - 2)}╮\x1b[39m\r\n│ >\x1b[7m \x1b[27m\r\n\x1b[?25l\x1b[?2026l`;
  }
  return out;
}

/** What compilers and tests print: coloured lines, some longer than the screen. */
export function log(lines: number): string {
  let out = '';
  for (let i = 0; i < lines; i++)
    out += `\x1b[90m12:0${i % 10}\x1b[0m \x1b[3${1 + (i % 6)}m${i % 3 === 0 ? 'WARN' : 'info'}\x1b[39m naïve → ✓ ${'word '.repeat(1 + (i % 7))}漢\r\n`;
  return out;
}
