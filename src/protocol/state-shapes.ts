import type { SessionState } from './states.ts';

/** How a state is drawn: a shape first, then the word, then a colour (style number of the 16-colour palette). */
export const stateShapes: Record<SessionState | 'queued' | 'deep', { glyph: string; ascii: string; ansi: number }> = {
  blocked: { glyph: '◆', ascii: '!', ansi: 33 },
  failed: { glyph: '✕', ascii: 'x', ansi: 31 },
  review: { glyph: '■', ascii: '=', ansi: 34 },
  working: { glyph: '●', ascii: '*', ansi: 32 },
  deep: { glyph: '◉', ascii: '@', ansi: 32 },
  parked: { glyph: '◔', ascii: 'z', ansi: 35 },
  ready: { glyph: '○', ascii: 'o', ansi: 39 },
  queued: { glyph: '▷', ascii: '>', ansi: 90 },
  starting: { glyph: '◌', ascii: ',', ansi: 90 },
  asleep: { glyph: '☾', ascii: '_', ansi: 90 },
  unknown: { glyph: '?', ascii: '?', ansi: 39 },
  paused: { glyph: '‖', ascii: '|', ansi: 90 },
  done: { glyph: '✓', ascii: 'v', ansi: 90 },
  lost: { glyph: '⌀', ascii: '.', ansi: 90 },
};
