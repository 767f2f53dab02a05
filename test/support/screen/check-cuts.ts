import { createScreen, restoreScreen } from '../../../src/terminal/screen/create-screen.ts';
import type { ScreenModel } from '../../../src/terminal/screen/screen-model.ts';
import { differences, type Observation, RawTerminal } from './raw-terminal.ts';

export interface CheckCutsOptions {
  columns: number;
  rows: number;
  /** Every cut by default. */
  cuts?: Iterable<number>;
  /** Fed after the stream on both sides, to show what cannot be seen standing still. */
  probe?: Uint8Array;
  /** Sizes both are brought to at the end. */
  resizes?: readonly (readonly [columns: number, rows: number])[];
  /** Spoils a checkpoint, to see that it is noticed. */
  spoil?: (bytes: Uint8Array) => Uint8Array;
}

export interface CutsChecked {
  cuts: number;
  /** Cuts left out since the state there cannot be said in VT (see `RawTerminal.oddity`). */
  odd: number;
  /** What differs; nothing when all is the same. */
  found: string[];
}

const silent = { event() {}, answer() {} };

/**
 * Cuts a stream at every byte: the terminal that saw it whole against a fresh one that gets our checkpoint of the
 * part before the cut and then the rest. Also at the cut itself, and for the checkpoint of a screen that was restored
 * from that checkpoint.
 */
export function checkCuts(stream: Uint8Array, options: CheckCutsOptions): CutsChecked {
  const { columns, rows, probe = new Uint8Array(0), resizes = [], spoil = (bytes) => bytes } = options;
  const finish = (terminal: RawTerminal): Observation[] => {
    const seen = [terminal.observe()];
    if (probe.length > 0) seen.push(terminal.feed(probe).observe());
    for (const [c, r] of resizes) seen.push(terminal.resize(c, r).observe());
    return seen;
  };
  using whole = new RawTerminal(columns, rows);
  const expected = finish(whole.feed(stream));
  using upToCut = new RawTerminal(columns, rows);
  using model: ScreenModel = createScreen({ columns, rows, listeners: silent });
  const checked: CutsChecked = { cuts: 0, odd: 0, found: [] };
  let at = 0;
  for (const cut of options.cuts ?? Array.from({ length: stream.length + 1 }, (_, i) => i)) {
    const part = stream.subarray(at, cut);
    upToCut.feed(part);
    model.write(part, cut);
    at = cut;
    checked.cuts++;
    if (upToCut.oddity() !== undefined) {
      checked.odd++;
      continue;
    }
    const checkpoint = model.checkpoint();
    const bytes = spoil(checkpoint.bytes);
    using restored = new RawTerminal(columns, rows);
    const note = (what: string, before: Observation | undefined, after: Observation | undefined) => {
      if (before === undefined || after === undefined) return;
      for (const line of differences(before, after).slice(0, 4)) checked.found.push(`cut ${cut}, ${what}: ${line}`);
    };
    note('at the cut', upToCut.observe(), restored.feed(bytes).observe());
    const actual = finish(restored.feed(stream.subarray(cut)));
    for (const [i, after] of actual.entries()) note(['at the end', 'probed'][i] ?? `step ${i}`, expected[i], after);
    using again = restoreScreen(checkpoint, { listeners: silent });
    using fromSecond = new RawTerminal(columns, rows);
    note('second checkpoint', upToCut.observe(), fromSecond.feed(again.checkpoint().bytes).observe());
  }
  return checked;
}
