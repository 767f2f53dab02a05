import { ok, type Result, refuse } from '../base/index.ts';
import { plainLine } from '../client/index.ts';
import type { ErrorCode } from '../protocol/index.ts';

const named: Readonly<Record<string, number>> = {
  r: 13,
  n: 10,
  t: 9,
  e: 27,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  '0': 0,
  '\\': 92,
  '^': 94,
};
const pattern =
  /\\x(?<hex>[0-9a-fA-F]{2})|\\u\{(?<point>[0-9a-fA-F]{1,6})\}|\\(?<name>[rnteabfv0\\^])|\^(?<control>[@-_a-z?])|(?<broken>\\)|(?<plain>[^\\^]+|\^)/gsu;

/** The bytes that written keys stand for; the pieces are typed without anything between them. */
export function parseKeys(pieces: readonly string[]): Result<Uint8Array, ErrorCode> {
  const bytes: Uint8Array[] = [];
  for (const { groups = {} } of pieces.join('').matchAll(pattern)) {
    const { hex, point, name, control, broken, plain } = groups;
    if (broken !== undefined)
      return refuse(
        'request/invalid',
        `"${plainLine(pieces.join(' '), 60)}" holds a \\ that stands for no key`,
        'concert keys --help',
      );
    if (hex !== undefined) bytes.push(Uint8Array.of(Number.parseInt(hex, 16)));
    else if (name !== undefined) bytes.push(Uint8Array.of(named[name] ?? 0));
    else if (control !== undefined)
      bytes.push(Uint8Array.of(control === '?' ? 127 : control.toUpperCase().charCodeAt(0) & 0x1f));
    else if (point === undefined) bytes.push(Buffer.from(plain ?? '', 'utf8'));
    else if (Number.parseInt(point, 16) > 0x10ffff)
      return refuse('request/invalid', `There is no character \\u{${point}}`);
    else bytes.push(Buffer.from(String.fromCodePoint(Number.parseInt(point, 16)), 'utf8'));
  }
  return ok(Buffer.concat(bytes));
}
