/** A colour with 16 bits a channel, as terminals report it. */
export interface Rgb {
  red: number;
  green: number;
  blue: number;
}

/** Reads `rgb:r/g/b` (1 to 4 hex digits each) and `#rgb` (1 to 4 each); undefined for names and anything else. */
export function parseColor(spec: string): Rgb | undefined {
  const slashed = /^rgb:([0-9a-f]{1,4})\/([0-9a-f]{1,4})\/([0-9a-f]{1,4})$/i.exec(spec);
  if (slashed !== null) {
    const [, red = '', green = '', blue = ''] = slashed;
    return { red: scaled(red), green: scaled(green), blue: scaled(blue) };
  }
  const hash = /^#((?:[0-9a-f]{3}){1,4})$/i.exec(spec)?.[1];
  if (hash === undefined) return undefined;
  const digits = hash.length / 3;
  return {
    red: scaled(hash.slice(0, digits)),
    green: scaled(hash.slice(digits, 2 * digits)),
    blue: scaled(hash.slice(2 * digits)),
  };
}

export function formatColor({ red, green, blue }: Rgb): string {
  return `rgb:${hex(red)}/${hex(green)}/${hex(blue)}`;
}

function scaled(digits: string): number {
  return Math.round((Number.parseInt(digits, 16) * 0xffff) / (16 ** digits.length - 1));
}

function hex(channel: number): string {
  return channel.toString(16).padStart(4, '0');
}

const ansi = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00,
  0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];
const cubeSteps = [0, 95, 135, 175, 215, 255];

/** Colour 0 to 255 as long as nobody changes it: xterm's. */
export function defaultPaletteColor(index: number): Rgb {
  const value = ansi[index];
  if (value !== undefined) return rgb8(value >> 16, (value >> 8) & 0xff, value & 0xff);
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return rgb8(grey, grey, grey);
  }
  const cube = index - 16;
  return rgb8(
    cubeSteps[Math.floor(cube / 36)] ?? 0,
    cubeSteps[Math.floor(cube / 6) % 6] ?? 0,
    cubeSteps[cube % 6] ?? 0,
  );
}

function rgb8(red: number, green: number, blue: number): Rgb {
  return { red: red * 257, green: green * 257, blue: blue * 257 };
}
