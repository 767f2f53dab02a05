import type { FleetState } from './state.ts';

/** Raised when a snapshot's shape changes; older ones are then dropped and the rows replayed. */
const snapshotVersion = 1;

/** The durable part of the state as JSON, to start from instead of the first row. */
export function writeSnapshot(state: FleetState): string {
  return JSON.stringify({
    version: snapshotVersion,
    ...state,
    projects: [...state.projects.values()],
    tasks: [...state.tasks.values()],
    sessions: [...state.sessions.values()],
    holders: [],
  });
}

/** Null when the text is of another version; the caller then replays the journal. Its integrity is the journal's to check. */
export function readSnapshot(text: string): FleetState | null {
  const kept = JSON.parse(text) as Omit<FleetState, 'projects' | 'tasks' | 'sessions' | 'holders'> & {
    version: number;
    projects: { id: string }[];
    tasks: { id: string }[];
    sessions: { id: string }[];
  };
  if (kept.version !== snapshotVersion) return null;
  const { version: _, ...rest } = kept;
  return {
    ...rest,
    projects: byId(kept.projects),
    tasks: byId(kept.tasks),
    sessions: byId(kept.sessions),
    holders: new Map(),
  } as FleetState;
}

function byId<T extends { id: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}
