import type { FleetState, Project, Session, Task } from '../fleet/index.ts';

const texts = new WeakMap<Project | Task | Session, string>();

/**
 * The part of a state that a restart must bring back, as text. Left out is what is learned anew: what was printed,
 * measured and overheard. Records are replaced when they change, so each is written once.
 */
export function durableText(state: FleetState): string {
  const { seq, at, epoch, host, bootId, slots, lastRecovery, isResting } = state;
  const parts = [JSON.stringify({ seq, at, epoch, host, bootId, slots, lastRecovery, isResting })];
  for (const project of state.projects.values()) parts.push(textOf(project));
  for (const task of state.tasks.values()) parts.push(textOf(task));
  for (const session of state.sessions.values()) parts.push(textOf(session));
  return parts.join('\n');
}

function textOf(record: Project | Task | Session): string {
  const known = texts.get(record);
  if (known !== undefined) return known;
  const text = JSON.stringify('evidenceLog' in record ? durableSession(record) : record);
  texts.set(record, text);
  return text;
}

function durableSession(session: Session): Partial<Session> {
  const { evidenceLog, title, head, lastOutputAt, footprintMiB, terminalPaused, ...durable } = session;
  return durable;
}

/** The first line in which two texts differ, for a report. */
export function firstDifference(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const index = left.findIndex((line, at) => line !== right[at]);
  return index < 0 ? `only ${right[left.length]}` : `${left[index]}\n  against ${right[index]}`;
}
