import { median, rounded } from './measure.ts';

export const goalIds = ['T1', 'L1', 'M1', 'A1', 'I1'] as const;
export type GoalId = (typeof goalIds)[number];

/** What must hold of a row's `value`. */
export type Goal = { max: number } | { min: number };

/** One measured number with what it was compared with and what it was made from. */
export interface BenchRow {
  id: GoalId;
  name: string;
  /** Of `ours` and `tmux`. */
  unit: string;
  /** Medians over the runs; null where not measured. */
  ours: number | null;
  tmux: number | null;
  /** Median of the runs' ratios, ours to tmux of the same run. */
  ratio: number | null;
  /** What the goal speaks of. */
  goal: (Goal & { of: 'ratio' | 'ours' }) | null;
  isMet: boolean | null;
  /** One number per run, in order. */
  raw: { ours: number[]; tmux: number[] };
  note: string | null;
}

export interface BenchResult {
  schema: 'concert/bench@1';
  startedAt: string;
  seconds: number;
  isQuick: boolean;
  machine: {
    cpu: string;
    cores: number;
    memoryGiB: number;
    kernel: string;
    node: string;
    tmux: string;
    /** One-minute load average before the first run and after the last: the machine may be shared. */
    loadAtStart: number;
    loadAtEnd: number;
  };
  build: string;
  rows: BenchRow[];
}

export interface Comparison {
  id: GoalId;
  name: string;
  unit: string;
  ours: readonly number[];
  tmux: readonly number[];
  goal?: Goal;
  note?: string;
}

/** A row whose goal is a ratio to tmux. Both lists hold one number per run, of the same run at the same place. */
export function compare({ id, name, unit, ours, tmux, goal, note }: Comparison): BenchRow {
  const ratio = rounded(median(ours.map((value, run) => value / (tmux[run] ?? Number.NaN))));
  return {
    id,
    name,
    unit,
    ours: rounded(median(ours)),
    tmux: rounded(median(tmux)),
    ratio,
    goal: goal === undefined ? null : { ...goal, of: 'ratio' },
    isMet: goal === undefined ? null : meets(ratio, goal),
    raw: { ours: ours.map(rounded), tmux: tmux.map(rounded) },
    note: note ?? null,
  };
}

/** A row whose goal, if any, is a number of its own; tmux is only for sight. */
export function measure({
  id,
  name,
  unit,
  ours,
  tmux,
  goal,
  note,
}: Omit<Comparison, 'tmux'> & { tmux?: readonly number[] }): BenchRow {
  const row = compare({ id, name, unit, ours, tmux: tmux ?? [], ...(note === undefined ? {} : { note }) });
  const value = row.ours ?? Number.NaN;
  const own = {
    ...row,
    goal: goal === undefined ? null : { ...goal, of: 'ours' as const },
    isMet: goal === undefined ? null : meets(value, goal),
  };
  return tmux === undefined ? { ...own, tmux: null, ratio: null } : own;
}

export function notMeasured(id: GoalId, name: string, unit: string, why: string): BenchRow {
  return {
    id,
    name,
    unit,
    ours: null,
    tmux: null,
    ratio: null,
    goal: null,
    isMet: null,
    raw: { ours: [], tmux: [] },
    note: `Not measured: ${why}`,
  };
}

function meets(value: number, goal: Goal): boolean {
  return 'max' in goal ? value <= goal.max : value >= goal.min;
}

/** For people: one line a row, the verdict last. */
export function printRow(row: BenchRow): string {
  const number = (value: number | null, digits = 2) =>
    value === null ? '-' : value.toFixed(value >= 100 ? 0 : digits);
  const goal =
    row.goal === null
      ? ''
      : `${'max' in row.goal ? '≤' : '≥'} ${'max' in row.goal ? row.goal.max : row.goal.min}${row.goal.of === 'ratio' ? ' ×' : ''}`;
  const verdict = row.isMet === null ? (row.ours === null ? 'not measured' : '') : row.isMet ? 'met' : 'NOT MET';
  const ratio = row.ratio === null ? '' : `${number(row.ratio)} ×`;
  return [
    row.id,
    row.name.padEnd(50),
    `${number(row.ours, 3)}`.padStart(8),
    `${number(row.tmux, 3)}`.padStart(8),
    row.unit.padEnd(11),
    ratio.padStart(7),
    goal.padStart(8),
    verdict,
  ]
    .join('  ')
    .trimEnd();
}
