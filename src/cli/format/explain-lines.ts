import { plainLine } from '../../client/index.ts';
import type { Confidence, EvidenceDocument, ExplainDocument, StateSource } from '../../protocol/index.ts';
import { type Look, shapeOf } from '../look.ts';
import { localTime, longDuration } from './durations.ts';

const speakers: Record<StateSource, string> = {
  person: 'you',
  process: 'its process',
  server: 'the server of the agent',
  osc7501: 'the agent itself (OSC 7501)',
  hook: 'a hook of the agent',
  file: 'its conversation file',
  mark: 'a mark in its output',
  title: 'its window title',
  silence: 'the activity of its terminal',
  daemon: 'Concertmaster itself',
};

const certainty: Record<Confidence, string> = {
  sure: 'which is certain',
  likely: 'which is likely',
  guess: 'which is a guess (~)',
};

/** The chain from signal to state in plain words, newest first. Details come from agents and are made safe. */
export function explainLines(document: ExplainDocument, look: Look, now: number): string[] {
  const { state, because, evidence, sources } = document;
  const older = evidence.filter((piece) => JSON.stringify(piece) !== JSON.stringify(because));
  const since = localTime(document.since, now);
  const age = longDuration(now - Date.parse(document.since));
  return [
    `${plainLine(document.name, 60)} is ${shapeOf(state, look)} ${state} since ${since} (${age}).`,
    `${capital(speakers[because.source])} said so at ${localTime(because.at, now)}: ${said(because)}, ${certainty[because.confidence]}.`,
    ...believedLines(document),
    ...(older.length === 0 ? ['Nothing older is known.'] : ['Older evidence, newest first:']),
    ...older.map(
      (piece) =>
        `  ${localTime(piece.at, now)}  ${(piece.state ?? '-').padEnd(8)}  ${piece.source}: ${said(piece)} (${piece.confidence})`,
    ),
    ...(sources.length === 0 ? [] : ['What each source of this agent tells, most believable first:']),
    ...sources.map(
      ({ source, reports }) =>
        `  ${source}: ${reports.map((report) => plainLine(report, 60)).join(', ') || 'supports only'}`,
    ),
  ];
}

function said({ signal, detail }: EvidenceDocument): string {
  const word = plainLine(signal, 80);
  return detail === null || detail === '' ? word : `${word} (${plainLine(detail, 200)})`;
}

function believedLines({ because, sources }: ExplainDocument): string[] {
  if (because.source === 'person') return ['It is believed because you decided it.'];
  if (because.source === 'daemon') return ['It is believed because the daemon did it.'];
  if (because.source === 'process') return ['It is believed because nothing knows better whether a process lives.'];
  const place = sources.findIndex(({ source }) => source === because.source);
  if (place < 0) return [];
  const better = sources.slice(0, place).map(({ source }) => source);
  if (better.length === 0) return ['It is believed because this is the most believable source of this agent.'];
  return [`It is believed because ${better.join(' and ')} said nothing later that contradicts it.`];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
