import type { Clock } from '../base/index.ts';
import {
  type FleetEvent,
  type FleetState,
  hostDocument,
  type JournalRow,
  queuedDocument,
  queuedTasks,
  sessionDocument,
  touches,
  usedSlots,
} from '../fleet/index.ts';
import type { EventDocument, KeyedDocument, SnapshotDocument, StreamMessage } from '../protocol/index.ts';

/** Changes kept for clients that come back; an older `since` is answered with a reset. */
const changesMax = 10_000;
/** Queue entries shown one by one; the rest is a number. */
const queueShownMax = 500;
/** Change numbers of one daemon start here times its epoch, so that a number of an earlier daemon is recognised. */
const changesPerEpoch = 2 ** 32;

/** What a turn of the loop changed in the live view, drawn when it happened. */
export interface Drawing {
  put: KeyedDocument[];
  dropped: string[];
  /** The whole queue as shown, when it may have changed. */
  queue: KeyedDocument[] | null;
}

/**
 * Turns events into the live view: keyed documents, each change numbered. What it has published is by construction
 * durable, because the loop calls `publish` after the commit with what `prepare` drew before it.
 */
export class Publisher {
  readonly #clock: Clock;
  readonly #state: FleetState;
  readonly #documents = new Map<string, { text: string; keyed: KeyedDocument }>();
  readonly #changes: StreamMessage[] = [];
  readonly #listeners = new Set<(messages: readonly StreamMessage[]) => void>();
  readonly #eventListeners = new Set<(event: EventDocument) => void>();
  #seq = 0;
  #readOnly: string | null = null;
  #slotsDrawn = '';

  constructor(clock: Clock, state: FleetState) {
    this.#clock = clock;
    this.#state = state;
  }

  get readOnly(): string | null {
    return this.#readOnly;
  }

  /** Why commands are refused for now, or null. */
  setReadOnly(message: string | null): void {
    this.#readOnly = message;
    const shown = this.#documents.get('host/host')?.keyed;
    if (shown?.kind !== 'host') return;
    const changes: StreamMessage[] = [];
    this.#put(changes, { ...shown, document: { ...shown.document, readOnly: message } });
    this.#tell(changes);
  }

  /** Publishes the whole state once; before it there is nothing to ask for. */
  begin(): void {
    this.#seq = this.#state.epoch * changesPerEpoch;
    const changes: StreamMessage[] = [];
    const now = this.#clock.now();
    this.#put(changes, { kind: 'host', key: 'host', document: hostDocument(this.#state, this.#readOnly) });
    for (const session of this.#state.sessions.values()) {
      this.#put(changes, { kind: 'session', key: session.id, document: sessionDocument(this.#state, session, now) });
    }
    this.#putQueue(changes, this.#drawQueue());
    this.#tell(changes);
  }

  /** Draws what the events changed, as the state is now; to be shown by `publish` once they are durable. */
  prepare(events: readonly FleetEvent[]): Drawing {
    const sessions = new Set<string>();
    let hasQueue = false;
    let hasHost = false;
    for (const event of events) {
      const touched = touches(event);
      if (touched.session !== null) sessions.add(touched.session);
      if (touched.holder !== null) {
        for (const { id, process } of this.#state.sessions.values())
          if (process?.holder === touched.holder) sessions.add(id);
      }
      hasQueue ||= touched.queue;
      hasHost ||= touched.host;
    }
    const now = this.#clock.now();
    const drawing: Drawing = { put: [], dropped: [], queue: null };
    for (const id of sessions) {
      const session = this.#state.sessions.get(id);
      if (session === undefined) drawing.dropped.push(id);
      else drawing.put.push({ kind: 'session', key: id, document: sessionDocument(this.#state, session, now) });
    }
    const slotsInUse = `${usedSlots(this.#state)} of ${this.#state.slots}`;
    if (slotsInUse !== this.#slotsDrawn) hasHost = true;
    this.#slotsDrawn = slotsInUse;
    if (hasHost) drawing.put.push({ kind: 'host', key: 'host', document: hostDocument(this.#state, this.#readOnly) });
    if (hasQueue || hasHost) drawing.queue = this.#drawQueue();
    return drawing;
  }

  publish(drawing: Drawing, rows: readonly JournalRow[]): void {
    const changes: StreamMessage[] = [];
    for (const key of drawing.dropped) this.#drop(changes, 'session', key);
    for (const keyed of drawing.put) this.#put(changes, this.#withReadOnly(keyed));
    if (drawing.queue !== null) this.#putQueue(changes, drawing.queue);
    this.#tell(changes);
    for (const row of rows) for (const listener of this.#eventListeners) listener(eventDocument(row));
  }

  snapshot(): SnapshotDocument {
    return {
      schema: 'concert/snapshot@1',
      seq: this.#seq,
      documents: [...this.#documents.values()].map(({ keyed }) => keyed),
    };
  }

  /** Changes after `since`, then live ones. Null `since` starts with what comes next. */
  subscribe(since: number | null, listener: (messages: readonly StreamMessage[]) => void): Disposable {
    if (since !== null && since !== this.#seq) {
      const oldest = this.#changes[0]?.seq ?? this.#seq + 1;
      const missed = since < oldest - 1 || since > this.#seq ? null : this.#changes.filter(({ seq }) => seq > since);
      listener(missed ?? [{ seq: this.#seq, reset: true }]);
    }
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  onEvent(listener: (event: EventDocument) => void): Disposable {
    this.#eventListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#eventListeners.delete(listener) };
  }

  #drawQueue(): KeyedDocument[] {
    const shown = queuedTasks(this.#state).slice(0, queueShownMax);
    return shown.map((task, index) => ({
      kind: 'queued',
      key: task.id,
      document: queuedDocument(this.#state, task, index + 1),
    }));
  }

  #putQueue(changes: StreamMessage[], queue: readonly KeyedDocument[]): void {
    const gone = new Set<string>();
    for (const { keyed } of this.#documents.values()) if (keyed.kind === 'queued') gone.add(keyed.key);
    for (const keyed of queue) {
      gone.delete(keyed.key);
      this.#put(changes, keyed);
    }
    for (const key of gone) this.#drop(changes, 'queued', key);
  }

  /** A host drawn while nothing could be written may be shown when it can again, and the other way round. */
  #withReadOnly(keyed: KeyedDocument): KeyedDocument {
    return keyed.kind === 'host' ? { ...keyed, document: { ...keyed.document, readOnly: this.#readOnly } } : keyed;
  }

  #put(changes: StreamMessage[], keyed: KeyedDocument): void {
    const name = `${keyed.kind}/${keyed.key}`;
    const text = JSON.stringify({ ...keyed.document, waitSec: 0 });
    if (this.#documents.get(name)?.text === text) return;
    this.#documents.set(name, { text, keyed });
    changes.push({ seq: ++this.#seq, upsert: keyed });
  }

  #drop(changes: StreamMessage[], kind: KeyedDocument['kind'], key: string): void {
    if (this.#documents.delete(`${kind}/${key}`)) changes.push({ seq: ++this.#seq, remove: { kind, key } });
  }

  #tell(changes: readonly StreamMessage[]): void {
    if (changes.length === 0) return;
    this.#changes.push(...changes);
    if (this.#changes.length > changesMax) this.#changes.splice(0, this.#changes.length - changesMax);
    for (const listener of [...this.#listeners]) listener(changes);
  }
}

/** An event as the outside reads it. */
export function eventDocument(row: JournalRow): EventDocument {
  const { type, ...data } = row.event;
  const session = 'session' in row.event && typeof row.event.session === 'string' ? row.event.session : null;
  return { seq: row.seq, at: new Date(row.at).toISOString(), type, session, data };
}
