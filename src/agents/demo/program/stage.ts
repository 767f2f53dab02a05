import type { Entry } from './conversation.ts';
import type { Changes } from './workbench.ts';

/** Where the demo is seen: a full screen, or plain lines. */
export interface Stage extends Disposable {
  /** Shows an entry, or a newer version of the one with this id. `isFinal`: it will not change any more. */
  put(id: number, entry: Entry, isFinal: boolean): void;
  show(activity: Activity): void;
  showPlan(plan: Plan | null): void;
  showFacts(facts: Facts): void;
  /** Prompts that wait for the end of the turn. */
  showQueue(prompts: readonly string[]): void;
  /** The option chosen, null for Esc. Rejects when the turn is interrupted. */
  ask(dialog: Dialog, signal: AbortSignal): Promise<number | null>;
  /** Draws at once what waits to be drawn, so that nothing is told before it can be seen. */
  flush(): void;
  /** Bytes straight to the terminal. */
  write(bytes: string | Uint8Array): void;
}

/** What the person does. */
export interface StageEvents {
  onPrompt(text: string): void;
  onInterrupt(): void;
  onQuit(): void;
  /** Nothing can be typed any more. */
  onInputEnd(): void;
  /** The terminal answered a query of ours. */
  onAnswer(to: 'status' | 'device-attributes'): void;
}

/** Times are ms since the epoch. */
export type Activity =
  | { kind: 'ready' }
  | { kind: 'working'; label: string; since: number }
  /** Working, but no longer telling. */
  | { kind: 'quiet'; label: string; since: number }
  | { kind: 'parked'; until: string; wakesAt: number }
  | { kind: 'asking' }
  | { kind: 'review'; text: string }
  | { kind: 'failed'; text: string };

export interface Plan {
  items: readonly string[];
  done: number;
}

export interface Facts {
  /** Elsewhere the demo changes nothing. */
  isDemoRepository: boolean;
  branch: string | null;
  changes: Changes | null;
  testsPassed: number;
}

export interface Dialog {
  kind: 'permission' | 'question';
  title: string;
  /** The command, shown as such; empty for a question. */
  command: string;
  text: string;
  options: readonly string[];
}
