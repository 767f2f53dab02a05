import type { Evidence } from '../fleet/index.ts';
import type { SessionState } from '../protocol/index.ts';
import type { Signal, SourceTable, StatusRecord } from './agent.ts';
import { safeText } from './safe-text.ts';

/** A program that reports by OSC 7501 tells every change. */
export const statusSource: SourceTable = {
  source: 'osc7501',
  reports: (['ready', 'working', 'review', 'blocked', 'failed', 'unknown'] as const).map((to) => ({ from: 'any', to })),
};

/**
 * Reads the OSC 7501 reports of one process, for every agent that speaks it.
 *
 * | report | means | reached from |
 * |---|---|---|
 * | `idle` | ready; keeps an unsettled `review` or `failed`, which only the person ends | boot, or a turn cut short |
 * | `working` | working | any |
 * | `done` | review | any |
 * | `blocked` | blocked, whichever part of the program asks | any |
 * | `error` | failed | any |
 * | `clear` | unknown: the program no longer tells | any |
 *
 * A report that repeats the one before is not news: otherwise a settled turn would come back as review.
 */
export class StatusReader {
  #last: StatusRecord = silent;

  /** True while the program keeps a report up; weaker sources then have nothing to add. */
  get isReporting(): boolean {
    return this.#last.state !== 'clear';
  }

  read(signal: Signal & { kind: 'status' }, current: SessionState): readonly Evidence[] {
    const record = decidingRecord(signal.records);
    const before = this.#last;
    if (saysTheSame(record, before)) return [];
    this.#last = record;
    return [evidenceOf(record, before, current, signal.at)];
  }
}

const silent: StatusRecord = { id: '', state: 'clear', kind: null, message: null, app: null, progress: null };

/** The program's own record, unless one of its parts waits for a person: then somebody is needed all the same. */
function decidingRecord(records: readonly StatusRecord[]): StatusRecord {
  const live = records.filter((record) => record.state !== 'clear');
  const root = live.find((record) => record.id === '');
  if (root?.state === 'blocked' || root?.state === 'error') return root;
  return live.find((record) => record.state === 'blocked') ?? root ?? live[0] ?? silent;
}

function saysTheSame(a: StatusRecord, b: StatusRecord): boolean {
  return a.id === b.id && a.state === b.state && a.kind === b.kind && a.message === b.message;
}

function evidenceOf(record: StatusRecord, before: StatusRecord, current: SessionState, at: number): Evidence {
  const signal = record.kind === null ? record.state : `${record.state}:${record.kind}`;
  const message = safeText(record.message ?? '');
  const told = (state: SessionState | null, detail: string): Evidence => ({
    source: 'osc7501',
    signal,
    at,
    confidence: 'sure',
    ...(detail === '' ? {} : { detail }),
    ...(state === null ? {} : { state }),
  });
  switch (record.state) {
    case 'working':
      return told('working', message);
    case 'done':
      return told('review', message);
    case 'blocked':
      return told('blocked', message);
    case 'error':
      return told('failed', message);
    case 'clear':
      return told('unknown', 'The program stopped reporting its state');
    case 'idle': {
      if (current === 'review' || current === 'failed') return told(null, message);
      const wasCut = before.state === 'working' || before.state === 'blocked';
      return told('ready', message === '' && wasCut ? 'Interrupted' : message);
    }
  }
}
