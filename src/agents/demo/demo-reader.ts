import type { Evidence } from '../../fleet/index.ts';
import type { SessionState } from '../../protocol/index.ts';
import type { FileWatch, Signal, SignalReader } from '../agent.ts';
import { safeText } from '../safe-text.ts';
import { StatusReader } from '../status-signals.ts';
import { isParked, readTitle } from './demo-report.ts';

/** OSC 7501 where the terminal answered the program, else its titles; never both. */
export class DemoReader implements SignalReader {
  readonly watches: readonly FileWatch[] = [];
  readonly conversation: string | null;
  #status = new StatusReader();
  /** The last title told a state, so one that tells none takes it back. */
  #isTitleTelling = false;

  constructor(conversation: string | null) {
    this.conversation = conversation;
  }

  read(signal: Signal, current: SessionState): readonly Evidence[] {
    if (signal.kind === 'status') return this.#fromStatus(signal, current);
    if (signal.kind === 'title') return this.#fromTitle(signal);
    return [];
  }

  #fromStatus(signal: Signal & { kind: 'status' }, current: SessionState): readonly Evidence[] {
    const evidence = this.#status.read(signal, current);
    const root = signal.records.find((record) => record.id === '');
    if (root === undefined || !isParked(root)) return evidence;
    return evidence.map((piece) => ({ ...piece, state: 'parked' }));
  }

  #fromTitle({ title, at }: Signal & { kind: 'title' }): readonly Evidence[] {
    const told = readTitle(title);
    const state = told ?? (this.#isTitleTelling ? 'unknown' : null);
    this.#isTitleTelling = told !== null;
    const detail = safeText(title);
    const decides = state !== null && !this.#status.isReporting;
    return [
      {
        source: 'title',
        signal: state ?? 'title',
        at,
        confidence: 'likely',
        ...(detail === '' ? {} : { detail }),
        ...(decides ? { state } : {}),
      },
    ];
  }
}
