import type { ExitFacts } from '../fleet/index.ts';
import type { Confidence, SessionState, StateSource } from '../protocol/index.ts';
import type { SimRandom } from './sim-random.ts';
import type { Timeline } from './timeline.ts';

/** What an agent said about itself, at its place in the output. */
export interface Utterance {
  source: StateSource;
  confidence: Confidence;
  state: SessionState;
  /** When a daemon first read it, by that daemon's clock; the screen's checkpoint keeps it. */
  readAt: number | null;
  /** Ahead of the reader's clock by this much, ms: agents stamp their own files. */
  aheadMs: number;
}

export interface SimAgentOptions {
  timeline: Timeline;
  random: SimRandom;
  /** Takes prompts; a plain command does not. */
  prompts: boolean;
  /** Its first prompt came with the arguments. */
  carriesPrompt: boolean;
  /** How many of them misbehave: hang, ignore being asked to stop, talk nonsense. 0 to 1. */
  badness: number;
  onUtterance(utterance: Utterance): void;
  onOutput(): void;
  onExit(exit: ExitFacts): void;
}

/**
 * One scripted agent process: boots, works in turns, asks, finishes, ends by itself or when told to. A reliable one
 * reports each of its states by OSC 7501, so that what the fleet believes in the end can be held against what is true.
 */
export class SimAgent {
  readonly isReliable: boolean;
  state: SessionState = 'starting';
  isAlive = true;
  readonly #options: SimAgentOptions;
  readonly #ignoresTerm: boolean;
  readonly #hangs: boolean;
  #turnsLeft: number;
  #timer: Disposable | null = null;
  #isEnding = false;

  constructor(options: SimAgentOptions) {
    const { random, badness } = options;
    this.#options = options;
    this.isReliable = random.chance(0.7);
    this.#ignoresTerm = random.chance(badness);
    this.#hangs = random.chance(badness / 2);
    this.#turnsLeft = random.int(1, 6);
    this.#next(random.int(50, 3_000), 'boots', () => this.#boot());
  }

  /** Someone typed a line. Into a dialog it would be taken for an answer; that is for the caller to prevent. */
  type(): void {
    if (this.state === 'working' || !this.#options.prompts || this.#isEnding) return;
    this.#work();
  }

  /** A person settles the open dialog at the terminal. */
  answer(): void {
    if (this.isAlive && this.state === 'blocked' && !this.#isEnding) this.#work();
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    if (!this.isAlive) return;
    const exit = { code: null, signal: name, error: null, message: null };
    if (name === 'SIGKILL') return this.end(exit);
    if (this.#ignoresTerm) return;
    const { random } = this.#options;
    const code = random.chance(0.5) ? 0 : 143;
    this.#isEnding = true;
    this.#next(random.int(1, 2_500), 'ends as asked', () =>
      this.end(random.chance(0.5) ? exit : { code, signal: null, error: null, message: null }),
    );
  }

  end(exit: ExitFacts): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#timer?.[Symbol.dispose]();
    this.#options.onExit(exit);
  }

  /** Dies without a word, with its holder. */
  vanish(): void {
    this.isAlive = false;
    this.#timer?.[Symbol.dispose]();
  }

  #boot(): void {
    if (this.#hangs) return this.#say('silence', 'guess', 'unknown');
    if (!this.#options.prompts || this.#options.carriesPrompt) return this.#work();
    this.#become('ready');
  }

  #work(): void {
    const { random } = this.#options;
    this.#become('working');
    this.#options.onOutput();
    this.#next(random.int(100, 8_000), 'turns', () => this.#endTurn());
  }

  #endTurn(): void {
    const { random, prompts } = this.#options;
    this.#options.onOutput();
    if (random.chance(0.25)) return this.#become('blocked');
    if (--this.#turnsLeft <= 0 || !prompts) {
      if (this.#hangs) return;
      return this.end({ code: random.chance(0.7) ? 0 : random.int(1, 3), signal: null, error: null, message: null });
    }
    this.#become(random.weighted({ review: 8, ready: 1, failed: 1, parked: 1 }));
  }

  #become(state: SessionState): void {
    this.state = state;
    const { random } = this.#options;
    if (random.chance(0.15)) this.#say('title', 'guess', random.chance(0.5) ? state : 'working');
    if (this.isReliable) this.#say('osc7501', 'sure', state);
    else {
      const source = random.weighted({ hook: 3, file: 2, mark: 2, title: 2, silence: 1 });
      const confidence = source === 'hook' ? 'sure' : source === 'title' || source === 'silence' ? 'guess' : 'likely';
      this.#say(source, confidence, state);
    }
    if (random.chance(0.15)) this.#say('title', 'guess', random.pick(['working', 'ready', 'review', 'blocked']));
  }

  #say(source: StateSource, confidence: Confidence, state: SessionState): void {
    const aheadMs = source === 'file' && this.#options.random.chance(0.2) ? 3_600_000 : 0;
    this.#options.onUtterance({ source, confidence, state, readAt: null, aheadMs });
  }

  #next(ms: number, what: string, run: () => void): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.timeline.schedule(ms, `agent ${what}`, run);
  }
}
