import type { HolderExit } from '../../protocol/index.ts';
import type { ScreenEvent } from './screen-events.ts';
import type { Checkpoint, ScreenPage, ScreenText } from './screen-model.ts';
import type { ScreenLook } from './screen-queries.ts';

/** One process whose output a screen follows. */
export interface WatchedTerminal {
  session: string;
  incarnation: number;
  holderSocket: string;
  channel: number;
  columns: number;
  rows: number;
  /** First byte of this process; its terminal began blank there. */
  startedFrom: number;
  /** Where the screen is saved. */
  checkpointPath: string;
  /** Whose window the program is told of when it asks for colours and sizes. */
  look?: ScreenLook;
}

/** From the daemon's main thread to a screen worker. */
export type ScreenOrder =
  | { type: 'watch'; terminal: WatchedTerminal; epoch: number }
  | { type: 'drop'; session: string }
  | { type: 'look'; session: string; look: ScreenLook }
  | { type: 'ask'; id: number; question: ScreenQuestion }
  | { type: 'close' };

export type ScreenQuestion =
  | { type: 'checkpoint'; session: string; history: number }
  /** Of a session that is no longer followed, the saved screen. */
  | { type: 'text'; session: string; checkpointPath: string }
  | { type: 'page'; session: string; count: number; before?: number }
  /** Answered when the screen has this size, or after `waitMs`. */
  | { type: 'sized'; session: string; columns: number; rows: number; waitMs: number };

/** From a screen worker to the main thread. */
export type ScreenNews =
  | { type: 'events'; events: { session: string; event: ScreenEvent }[] }
  | { type: 'output'; session: string; head: number }
  | { type: 'exited'; session: string; incarnation: number; exit: HolderExit }
  /** This output is gone; the screen goes on without it. */
  | { type: 'gap'; session: string; from: number; to: number }
  /** The engine failed on what the program printed; the screen began anew, blank. */
  | { type: 'failed'; session: string; message: string }
  | { type: 'answer'; id: number; answer: ScreenAnswerTo }
  | { type: 'closed' };

export type ScreenAnswerTo = Checkpoint | ScreenText | ScreenPage | null;
