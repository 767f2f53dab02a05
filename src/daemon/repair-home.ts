import { existsSync } from 'node:fs';
import { ok, type Result, refuse } from '../base/index.ts';
import { type ErrorCode, layOutHome } from '../protocol/index.ts';
import { repairJournal } from '../store/index.ts';
import { findEntries } from './entries.ts';
import { prepareHome } from './home.ts';
import { lockHome } from './lock.ts';

/** `concert doctor --repair`: mends the journal while it holds the home, so that no daemon starts meanwhile. Says what was done. */
export async function repairHome(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): Promise<Result<string[], ErrorCode>> {
  const home = prepareHome(layOutHome(env, uid), uid);
  if (!home.ok) return home;
  const locked = lockHome(home.value.daemonFile);
  if (!locked.ok) return locked;
  using _lock = locked.value;
  try {
    const { journalWorker } = findEntries(import.meta.url);
    const report = await repairJournal({
      path: home.value.journal,
      workerEntry: journalWorker,
      backups: home.value.journalCopies.filter((path) => existsSync(path)),
    });
    return ok(sentences(report));
  } catch (cause) {
    const { message } = cause as Error;
    return refuse(
      'journal/damaged',
      `The journal could not be mended: ${message}; running sessions go on`,
      'concert doctor',
    );
  }
}

function sentences({
  isChanged,
  events,
  eventsFromCopies,
  gaps,
  keptAt,
}: Awaited<ReturnType<typeof repairJournal>>): string[] {
  if (!isChanged) return ['The journal is sound; nothing was changed'];
  return [
    `The journal was made anew from ${events} events${eventsFromCopies > 0 ? `, ${eventsFromCopies} of them from copies` : ''}`,
    ...gaps.map(({ first, last }) => `Events ${first} to ${last} could not be saved`),
    ...(keptAt === null ? [] : [`The damaged file is kept as ${keptAt}`]),
  ];
}
