import { stateShapes } from '../protocol/index.ts';
import type { Invocation } from './invocation.ts';

/** How output is drawn, decided once from where it goes and what the person set. */
export interface Look {
  /** Null when it does not go to a terminal: then nothing is cut. */
  columns: number | null;
  hasUnicode: boolean;
  hasColor: boolean;
}

export function lookOf({ stdout, env }: Pick<Invocation, 'stdout' | 'env'>, wantsColor: boolean): Look {
  const isTerminal = stdout.isTTY === true;
  const isDumb = env['TERM'] === 'dumb';
  return {
    columns: isTerminal ? (stdout.columns ?? 80) : null,
    hasUnicode: !isDumb && !env['NO_UNICODE'] && isUtf8(env),
    hasColor: isTerminal && wantsColor && !isDumb && !env['NO_COLOR'],
  };
}

/** The first of these that is set decides, as in every program that asks the C library. */
function isUtf8(env: Invocation['env']): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale);
}

export function shapeOf(state: keyof typeof stateShapes, look: Look): string {
  return look.hasUnicode ? stateShapes[state].glyph : stateShapes[state].ascii;
}

/** In the colour of a state; the shape and the word say the same without it. */
export function colored(text: string, state: keyof typeof stateShapes, look: Look): string {
  return look.hasColor ? `\u001b[${stateShapes[state].ansi}m${text}\u001b[39m` : text;
}

export function ellipsisOf(look: Look): string {
  return look.hasUnicode ? '…' : '...';
}
