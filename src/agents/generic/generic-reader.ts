import { unreachable } from '../../base/index.ts';
import type { Evidence } from '../../fleet/index.ts';
import type { SessionState } from '../../protocol/index.ts';
import type { FileWatch, Signal, SignalReader } from '../agent.ts';
import { safeText } from '../safe-text.ts';
import { StatusReader } from '../status-signals.ts';

/** Without output for this long nothing is known any more about a program that does not report. */
const silentUnknownMs = 10_000;

/**
 * What can be told about a program we know nothing of. The best source it was heard on decides and silences the weaker
 * ones: OSC 7501, then OSC 133 marks, then whether it prints. Titles, bells and notifications only support; that a
 * program waits for the person is never guessed.
 */
export class GenericReader implements SignalReader {
  readonly conversation = null;
  readonly watches: readonly FileWatch[] = [];
  #status = new StatusReader();
  #hasMarks = false;

  read(signal: Signal, current: SessionState): readonly Evidence[] {
    switch (signal.kind) {
      case 'status':
        return this.#status.read(signal, current);
      case 'mark':
        this.#hasMarks = true;
        return [fromMark(signal, !this.#status.isReporting)];
      case 'title':
        return [{ source: 'title', signal: 'title', at: signal.at, confidence: 'guess', ...shown(signal.title) }];
      case 'bell':
        return [{ source: 'mark', signal: 'bell', at: signal.at, confidence: 'likely' }];
      case 'notification':
        return [
          {
            source: 'mark',
            signal: 'notification',
            at: signal.at,
            confidence: 'likely',
            ...shown(`${signal.title} ${signal.body}`),
          },
        ];
      case 'output':
        if (this.#isTold || !(current === 'starting' || current === 'unknown' || current === 'ready')) return [];
        return [{ source: 'silence', signal: 'output', at: signal.at, confidence: 'guess', state: 'working' }];
      case 'silence':
        if (this.#isTold || signal.silentMs < silentUnknownMs) return [];
        if (current !== 'starting' && current !== 'working') return [];
        return [silenceEvidence(signal)];
      case 'hook':
      case 'file':
      case 'server':
        return [];
      default:
        return unreachable(signal);
    }
  }

  get #isTold(): boolean {
    return this.#status.isReporting || this.#hasMarks;
  }
}

function fromMark(signal: Signal & { kind: 'mark' }, decides: boolean): Evidence {
  const evidence = (state: SessionState | null, detail: string): Evidence => ({
    source: 'mark',
    signal: signal.mark,
    at: signal.at,
    confidence: 'likely',
    ...shown(detail),
    ...(state !== null && decides ? { state } : {}),
  });
  switch (signal.mark) {
    case 'prompt':
      return evidence('ready', '');
    case 'command':
      return evidence(null, '');
    case 'output':
      return evidence('working', '');
    case 'finished':
      return evidence('ready', signal.exitCode === null ? '' : `Exit code ${signal.exitCode}`);
  }
}

function silenceEvidence({ at, silentMs }: Signal & { kind: 'silence' }): Evidence {
  return {
    source: 'silence',
    signal: 'silence',
    at,
    confidence: 'guess',
    detail: `Silent for ${Math.floor(silentMs / 1000)} s; this program does not report its state`,
    state: 'unknown',
  };
}

function shown(text: string): { detail?: string } {
  const detail = safeText(text);
  return detail === '' ? {} : { detail };
}
