/** Deterministic numbers in [0, 1), one sequence per seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Token = (random: () => number) => string;

const upTo = (random: () => number, max: number) => Math.floor(random() * max);
const pick = <T>(random: () => number, items: readonly T[]): T => items[upTo(random, items.length)] as T;
const of =
  (...items: string[]): Token =>
  (random) =>
    pick(random, items);

const words = [
  'a',
  'word',
  'xyzzy',
  '漢字',
  'é',
  'e\u0301',
  '👍',
  '👍\u200d👍',
  '│─┘',
  '  ',
  'qqq',
  '~`{|}',
  '\u0301',
  '\u00ad',
];
const text: Token = (random) => Array.from({ length: 1 + upTo(random, 4) }, () => pick(random, words)).join('');
const long: Token = (random) => 'The quick brown fox jumps 漢'.repeat(1 + upTo(random, 2));
const move: Token = (random) =>
  pick(random, [
    () => `\x1b[${1 + upTo(random, 8)};${1 + upTo(random, 14)}H`,
    () => `\x1b[${upTo(random, 5)}${pick(random, [...'ABCDEFGdae`'])}`,
  ])();
const control = of('\r\n', '\n', '\r', '\b', '\t', '\x1bD', '\x1bE', '\x1bM', '\x1b[I', '\x1b[Z', '\v');
const sgr: Token = (random) =>
  `\x1b[${Array.from({ length: upTo(random, 3) }, () => pick(random, sgrCodes)).join(';')}m`;
const sgrCodes = [
  ...['0', '1', '2', '3', '4', '5', '7', '8', '9', '21', '22', '23', '24', '25', '27', '28', '29', '53', '55'],
  ...['4:3', '4:5', '4:0', '31', '42', '97', '105', '39', '49', '38;5;200', '48;5;17', '38;2;1;2;3', '48;2;9;9;9'],
  ...['58;2;1;2;3', '58:5:9', '59'],
];
const erase: Token = (random) =>
  `\x1b[${pick(random, ['', '?'])}${pick(random, ['', '1', '2'])}${pick(random, ['J', 'K'])}`;
const edit: Token = (random) =>
  `\x1b[${upTo(random, 4)}${pick(random, ['@', 'P', 'X', 'L', 'M', 'S', 'T', 'b', ' @', ' A', "'}", "'~"])}`;
const region: Token = (random) => `\x1b[${upTo(random, 5)};${upTo(random, 9)}r`;
const saved = of('\x1b7', '\x1b8', '\x1b[s', '\x1b[u');
const modes: Token = (random) =>
  `\x1b[?${pick(random, [1, 5, 6, 9, 25, 45, 66, 1000, 1002, 1003, 1004, 1006, 1007, 1016, 2004, 2026, 2031])}${pick(random, ['h', 'l'])}`;
/** Alone, since what the engine does with wide characters at the edge while autowrap is off depends on how they arrive. */
const withoutWrap: Token = (random) => `\x1b[?7l${'over the edge '.repeat(1 + upTo(random, 2))}\x1b[1m!\x1b[?7h`;
const ansiModes = of('\x1b[4h', '\x1b[4l', '\x1b[20h', '\x1b[20l', '\x1b=', '\x1b>');
const screens = of('\x1b[?1049h', '\x1b[?1049l', '\x1b[?47h', '\x1b[?47l', '\x1b[?1047h', '\x1b[?1047l', '\x1b[?1048h');
const charsets = of('\x1b(0', '\x1b(B', '\x1b)0', '\x1b*A', '\x1b+4', '\x0e', '\x0f', '\x1bn', '\x1bo');
const tabs = of('\x1bH', '\x1b[g', '\x1b[3g');
const keyboard = of('\x1b[>1u', '\x1b[>5u', '\x1b[<u', '\x1b[=3u', '\x1b[=1;2u', '\x1b[>4;2m', '\x1b[>4m', '\x1b[?u');
const strings = of(
  ...['\x1b]0;both\x07', '\x1b]2;título\x1b\\', '\x1b]1;icon\x07', '\x1b[22;0t', '\x1b[23;0t', '\x1b[22;2t'],
  ...['\x1b]4;1;#010203\x07', '\x1b]4;7;rgb:1/2/3;9;?\x07', '\x1b]104;1\x07', '\x1b]10;#fff\x07', '\x1b]111\x07'],
  ...['\x1b]7;file://h/x\x07', '\x1b]22;text\x07', '\x1b]9;4;1;40\x07', '\x1b]9;4;0\x07', '\x1b]9;hello\x07'],
  ...['\x1bP$qm\x1b\\', '\x1bPq#0~\x1b\\', '\x1b_Ga=q;AAAA\x1b\\', '\x1bXnothing\x1b\\', '\x1b]52;c;YQ==\x07'],
  ...['\x1b]7501;state=working\x07', '\x1b]7501;?\x1b\\', '\x1b]133;A\x07'],
);
const links = of('\x1b]8;;http://a/b;c\x07', '\x1b]8;id=x:y=1;http://c\x1b\\', '\x1b]8;;\x07');
const shapes = of('\x1b[ q', '\x1b[2 q', '\x1b[5 q', '\x1b[0 q', '\x1b[1"q', '\x1b[0"q');
const queries = of('\x1b[c', '\x1b[6n', '\x1b[?2026$p', '\x1b[>q', '\x1b[18t');
const resets = of('\x1b[!p', '\x1bc', '\x1b#8', '\x1b[3J', '\x1b%G');
/** What no program should write, and some do. */
const broken = of(
  ...[
    '\x1b',
    '\x1b[',
    '\x1b[1;',
    '\x1b[?',
    '\x1b[1\x07;2H',
    '\x1b[3\n1m',
    '\x1b[1\x18',
    '\x1b]2;cut',
    '\x1b]2;cut\x1b[1m',
  ],
  ...[
    '\x1b[?1?2h',
    '\x1b[1 1m',
    '\x1bP1;2',
    '\x1b_',
    '\x1b]no\x07',
    '\x1b]2;a\x85b',
    '\x9b1m',
    '\x9d2;c1\x9c',
    '\x90$qm\x9c',
  ],
  ...['\x1b\x1b', '\x1b[é', '\x1b[38:2:1:2m', '\x1b^priv€', '\x1b[\x7f1m', '\0', '\x7f', '\x84', '\x1b[99999999999d'],
);

const weighted: readonly (readonly [number, Token])[] = [
  [22, text],
  [5, long],
  [10, move],
  [14, control],
  [12, sgr],
  [5, erase],
  [7, edit],
  [3, region],
  [4, saved],
  [5, modes],
  [1, withoutWrap],
  [2, ansiModes],
  [3, screens],
  [3, charsets],
  [2, tabs],
  [2, keyboard],
  [5, strings],
  [3, links],
  [2, shapes],
  [1, queries],
  [1, resets],
  [4, broken],
];
const tokensByWeight = weighted.flatMap(([weight, token]) => Array.from({ length: weight }, () => token));

/** A stream of about `tokens` pieces: text, everything a terminal reacts to, and rubbish. */
export function randomStream(seed: number, tokens: number): Uint8Array {
  const random = seeded(seed);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < tokens; i++) {
    const bytes = new TextEncoder().encode(pick(random, tokensByWeight)(random));
    // Now and then a byte is lost or wrong.
    if (random() < 0.02) bytes[upTo(random, bytes.length)] = upTo(random, 256);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
