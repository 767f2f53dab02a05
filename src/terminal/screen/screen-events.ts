import type { ControlString } from './control-scanner.ts';
import { decodeBase64Text } from './decode-base64.ts';
import { type ProgramStatus, ProgramStatusRecords } from './program-status.ts';
import { sanitizeText } from './sanitize-text.ts';
import type { Progress, TrackedState } from './tracked-state.ts';

/** What a program told its terminal, read once, here. All text is sanitized; it is still the program's word only. */
export type ScreenEvent = { /** Offset after the last byte of what said it. */ offset: number } & (
  | { type: 'title'; title: string }
  | { type: 'bell' }
  | { type: 'notification'; title: string; body: string; urgency: 'low' | 'normal' | 'critical' }
  | { type: 'progress'; progress: Progress | undefined }
  | { type: 'clipboard'; selection: string; text: string }
  | { type: 'cwd'; address: string }
  | { type: 'mark'; mark: 'prompt' | 'input' | 'output' | 'finished'; exitCode?: number }
  | { type: 'status'; status: ProgramStatus }
);

type Said<Event> = Event extends ScreenEvent ? Omit<Event, 'offset'> : never;

/** Longest title or notification text that is passed on, in characters. */
const shownCharactersMax = 1024;
/** Longest text a program may put on the clipboard, in characters; longer ones are dropped. */
export const clipboardCharactersMax = 128 * 1024;
/** Notifications a program may leave half-told (OSC 99 comes in parts); more push out the oldest. */
const unfinishedMax = 16;

const marks = { A: 'prompt', B: 'input', C: 'output', D: 'finished' } as const;
/** What ConEmu put on OSC 9 before terminals agreed that it notifies: `9;4;1;50` is progress, others are not for us. */
const conEmu = /^(?:[1-9]|1[0-2]);/;

/** Turns strings and bells into events, keeping in `tracked` what a terminal keeps of them. */
export class ScreenEvents {
  readonly #tracked: TrackedState;
  readonly #emit: (event: ScreenEvent) => void;
  readonly #unfinished = new Map<string, { title: string; body: string }>();
  readonly records = new ProgramStatusRecords();

  constructor(tracked: TrackedState, emit: (event: ScreenEvent) => void) {
    this.#tracked = tracked;
    this.#emit = emit;
  }

  bell(end: number): void {
    this.#say(end, { type: 'bell' });
  }

  /** XTWINOPS can change the title too. */
  titleMayHaveChanged(before: string, end: number): void {
    if (this.#tracked.title !== before) this.#sayTitle(end);
  }

  string({ kind, data }: ControlString, end: number): void {
    if (kind !== 'osc') return;
    const number = /^\d+(?=;|$)/.exec(data)?.[0];
    if (number === undefined) return;
    this.#osc(Number(number), data.slice(number.length + 1), end);
  }

  #osc(number: number, data: string, end: number): void {
    const tracked = this.#tracked;
    const before = tracked.title;
    switch (number) {
      case 0:
        tracked.setTitle(data);
        tracked.setIconName(data);
        this.titleMayHaveChanged(before, end);
        break;
      case 1:
        tracked.setIconName(data);
        break;
      case 2:
        tracked.setTitle(data);
        this.titleMayHaveChanged(before, end);
        break;
      case 7:
        tracked.setCwd(data);
        this.#say(end, { type: 'cwd', address: sanitizeText(tracked.cwd, shownCharactersMax * 4) });
        break;
      case 9:
        this.#osc9(data, end);
        break;
      case 22:
        tracked.setPointer(data);
        break;
      case 52:
        this.#clipboard(data, end);
        break;
      case 99:
        this.#kittyNotification(data, end);
        break;
      case 133:
        this.#mark(data, end);
        break;
      case 777:
        this.#osc777(data, end);
        break;
      case 7501:
        this.#status(data, end);
        break;
      default:
        this.#color(number, data);
    }
  }

  #osc9(data: string, end: number): void {
    if (data.startsWith('4;')) {
      if (this.#tracked.setProgress(data)) this.#say(end, { type: 'progress', progress: this.#tracked.progress });
    } else if (!conEmu.test(data)) this.#notify('', data, 'normal', end);
  }

  #osc777(data: string, end: number): void {
    const [command, title = '', ...body] = data.split(';');
    if (command === 'notify') this.#notify(title, body.join(';'), 'normal', end);
  }

  /** https://sw.kovidgoyal.net/kitty/desktop-notifications: `99;key=value:…;payload`, title and body in parts. */
  #kittyNotification(data: string, end: number): void {
    const separator = data.indexOf(';');
    if (separator < 0) return;
    const keys = new Map(
      data
        .slice(0, separator)
        .split(':')
        .map((pair) => [pair.slice(0, 1), pair.slice(2)]),
    );
    const part = keys.get('p') ?? 'title';
    if (part !== 'title' && part !== 'body') return;
    const payload = data.slice(separator + 1);
    const text = keys.get('e') === '1' ? decodeBase64Text(payload) : payload;
    if (text === undefined) return;
    const id = (keys.get('i') ?? '').slice(0, shownCharactersMax);
    const told = this.#unfinished.get(id) ?? { title: '', body: '' };
    told[part] = (told[part] + text).slice(0, shownCharactersMax * 4);
    this.#unfinished.delete(id);
    if (keys.get('d') === '0') {
      this.#unfinished.set(id, told);
      const oldest = this.#unfinished.keys().next();
      if (this.#unfinished.size > unfinishedMax && oldest.done !== true) this.#unfinished.delete(oldest.value);
      return;
    }
    const urgency = keys.get('u');
    this.#notify(told.title, told.body, urgency === '0' ? 'low' : urgency === '2' ? 'critical' : 'normal', end);
  }

  #notify(title: string, body: string, urgency: 'low' | 'normal' | 'critical', end: number): void {
    const shown = { title: sanitizeText(title, shownCharactersMax), body: sanitizeText(body, shownCharactersMax) };
    if (shown.title !== '' || shown.body !== '') this.#say(end, { type: 'notification', ...shown, urgency });
  }

  /** Setting only: what is asked of the clipboard is never answered. */
  #clipboard(data: string, end: number): void {
    const separator = data.indexOf(';');
    const payload = data.slice(separator + 1);
    if (separator < 0 || payload === '?') return;
    const text = decodeBase64Text(payload);
    if (text === undefined || text.length > clipboardCharactersMax) return;
    const selection = data.slice(0, separator).replace(/[^cpqs0-7]/g, '');
    this.#say(end, { type: 'clipboard', selection: selection || 'c', text });
  }

  #mark(data: string, end: number): void {
    const [letter = '', exit = ''] = data.split(';');
    const mark = marks[letter as keyof typeof marks];
    if (mark === undefined) return;
    if (mark === 'finished' && /^-?\d{1,10}$/.test(exit))
      this.#say(end, { type: 'mark', mark, exitCode: Number(exit) });
    else this.#say(end, { type: 'mark', mark });
  }

  #status(data: string, end: number): void {
    if (data === '?') return;
    const status = this.records.take(data);
    if (status !== undefined) this.#say(end, { type: 'status', status });
  }

  /** Colours set and reset: OSC 4, 10 to 19, and the same plus 100. */
  #color(number: number, data: string): void {
    const { palette, dynamicColors } = this.#tracked;
    const slots = data.split(';');
    if (number === 4) {
      for (let i = 0; i + 1 < slots.length; i += 2)
        if (/^\d+$/.test(slots[i] ?? '')) this.#tracked.setPaletteColor(Number(slots[i]), slots[i + 1] ?? '');
    } else if (number === 104) {
      if (data === '') palette.clear();
      else for (const slot of slots) if (/^\d+$/.test(slot)) palette.delete(Number(slot));
    } else if (number >= 10 && number <= 19) {
      for (const [i, slot] of slots.entries()) this.#tracked.setDynamicColor(number + i, slot);
    } else if (number >= 110 && number <= 119) dynamicColors.delete(number - 100);
  }

  #sayTitle(end: number): void {
    this.#say(end, { type: 'title', title: sanitizeText(this.#tracked.title, shownCharactersMax) });
  }

  #say(offset: number, said: Said<ScreenEvent>): void {
    this.#emit({ offset, ...said } as ScreenEvent);
  }
}
