import type { HostDocument, KeyedDocument, QueuedDocument, SessionDocument } from '../protocol/index.ts';

/** The documents of the fleet by kind. */
export interface FleetLists {
  sessions: SessionDocument[];
  /** In the order they will start. */
  queued: QueuedDocument[];
  host: HostDocument | null;
}

export function listFleet(documents: Iterable<KeyedDocument>): FleetLists {
  const lists: FleetLists = { sessions: [], queued: [], host: null };
  for (const keyed of documents) {
    if (keyed.kind === 'session') lists.sessions.push(keyed.document);
    else if (keyed.kind === 'queued') lists.queued.push(keyed.document);
    else if (keyed.kind === 'host') lists.host = keyed.document;
  }
  lists.queued.sort((a, b) => a.position - b.position);
  return lists;
}
