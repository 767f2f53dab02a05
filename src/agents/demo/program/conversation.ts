import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One thing shown in the conversation. Text is safe to show; it may have line breaks. */
export type Entry =
  | { kind: 'you'; text: string }
  | { kind: 'say'; text: string }
  | { kind: 'tool'; verb: string; subject: string; outcome: ToolOutcome; result: string; lines: readonly string[] }
  | { kind: 'note'; text: string }
  /** Closes a turn. */
  | { kind: 'end'; text: string };

/** `cut`: the process ended, or the person interrupted, before it was known. */
export type ToolOutcome = 'running' | 'ok' | 'failed' | 'cut';

/** Entries kept for the screen; older ones stay in the file. */
export const entriesMax = 500;

/** One line of the file. A later entry with the same id replaces the earlier one. */
type Line =
  | { at: number; id: number; entry: Entry }
  /** Steps of the scenario played to their end, and whether a turn is open. */
  | { at: number; steps: number; inTurn: boolean };

/**
 * The conversation of one session: append-only JSON lines in `<folder>/<id>.jsonl`, so that a process killed at any
 * moment can be resumed. Without a folder it lives in memory only.
 */
export class Conversation {
  readonly id: string;
  /** As loaded; the newest `entriesMax`. */
  readonly entries: readonly { id: number; entry: Entry }[];
  readonly stepsPlayed: number;
  /** The last process ended in the middle of a turn. */
  readonly wasCut: boolean;
  #path: string | null;
  #nextId: number;

  /** Begins a new one. */
  static create(id: string, folder: string | null): Conversation {
    if (folder !== null) mkdirSync(folder, { recursive: true, mode: 0o700 });
    return new Conversation(id, folder, []);
  }

  /** Null when there is no such conversation. A last line that was cut short is skipped. */
  static load(id: string, folder: string): Conversation | null {
    let text: string;
    try {
      text = readFileSync(pathOf(id, folder), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
    // Ends the line a killed process may have left open.
    if (!text.endsWith('\n') && text !== '') appendFileSync(pathOf(id, folder), '\n');
    return new Conversation(id, folder, text.split('\n').flatMap(parseLine));
  }

  private constructor(id: string, folder: string | null, lines: readonly Line[]) {
    this.id = id;
    this.#path = folder === null ? null : pathOf(id, folder);
    const entries = new Map<number, Entry>();
    let stepsPlayed = 0;
    let wasCut = false;
    for (const line of lines) {
      if ('entry' in line) entries.set(line.id, line.entry);
      else {
        stepsPlayed = line.steps;
        wasCut = line.inTurn;
      }
    }
    this.entries = [...entries].slice(-entriesMax).map(([key, entry]) => ({ id: key, entry: endedEntry(entry) }));
    this.stepsPlayed = stepsPlayed;
    this.wasCut = wasCut;
    this.#nextId = 1 + Math.max(0, ...entries.keys());
  }

  newId(): number {
    return this.#nextId++;
  }

  keep(id: number, entry: Entry): void {
    this.#append({ at: Date.now(), id, entry });
  }

  keepPosition(steps: number, inTurn: boolean): void {
    this.#append({ at: Date.now(), steps, inTurn });
  }

  #append(line: Line): void {
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }
}

function pathOf(id: string, folder: string): string {
  return join(folder, `${id}.jsonl`);
}

function endedEntry(entry: Entry): Entry {
  return entry.kind === 'tool' && entry.outcome === 'running' ? { ...entry, outcome: 'cut' } : entry;
}

/** Our own file, so a line that parses is believed; anything else is skipped. */
function parseLine(text: string): Line[] {
  if (text === '') return [];
  try {
    return [JSON.parse(text) as Line];
  } catch {
    return [];
  }
}
