/**
 * What the demo program says about itself, agreed between the program and its adapter. The draft protocol has no word
 * for "waits for the clock", so the program reports `idle` with a message that begins with `parkedPrefix`.
 */
export interface DemoReport {
  state: 'idle' | 'working' | 'done' | 'blocked' | 'error' | 'clear';
  kind?: 'permission' | 'question';
  message?: string;
  /** 0 to 100. */
  progress?: number;
}

/** For instance `until 10:40, when CI ends`. */
export const parkedPrefix = 'until ';

export function isParked(report: { state: string; message?: string | null }): boolean {
  return report.state === 'idle' && (report.message ?? '').startsWith(parkedPrefix);
}

/** Used when the terminal does not answer the OSC 7501 query. */
export const titleWords = {
  ready: 'ready',
  working: 'working',
  blocked: 'needs you',
  review: 'finished',
  failed: 'failed',
  parked: 'parked',
} as const;
type TitleState = keyof typeof titleWords;

export function plainTitle(name: string): string {
  return `${name} (simulated)`;
}

/** The state goes first, so that a narrow tab still shows it. */
export function tellingTitle(name: string, report: DemoReport): string {
  const state = titleStateOf(report);
  return state === null ? plainTitle(name) : `${titleWords[state]}: ${plainTitle(name)}`;
}

/** Null for a title that tells no state. */
export function readTitle(title: string): TitleState | null {
  if (!title.endsWith(' (simulated)')) return null;
  const states = Object.keys(titleWords) as TitleState[];
  return states.find((state) => title.startsWith(`${titleWords[state]}: `)) ?? null;
}

function titleStateOf(report: DemoReport): TitleState | null {
  switch (report.state) {
    case 'idle':
      return isParked(report) ? 'parked' : 'ready';
    case 'working':
      return 'working';
    case 'done':
      return 'review';
    case 'blocked':
      return 'blocked';
    case 'error':
      return 'failed';
    case 'clear':
      return null;
  }
}
