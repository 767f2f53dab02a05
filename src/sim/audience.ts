import type { Publisher } from '../daemon/index.ts';
import { evolve, type FleetState, hostDocument, keyedDocuments, sessionDocument, type Turn } from '../fleet/index.ts';
import type { KeyedDocument, StreamMessage } from '../protocol/index.ts';
import type { Watch } from './watch.ts';

/** Of the changes clients see, one in so many is held against the record at once; all are compared from time to time. */
const checkedEvery = 3;

/** A client of one daemon, and beside it the state as it may be known outside: what has been shown and nothing else. */
export class Audience {
  /** Lags behind the fleet. */
  readonly #shown: FleetState;
  readonly #publisher: Publisher;
  readonly #watch: Watch;
  readonly #client = new Map<string, KeyedDocument>();
  readonly #onSession: (session: string) => void;
  #readOnly: string | null = null;
  #isOpen = false;
  #changesSeen = 0;

  /** `onSession` hears of each session that is shown anew, while it is being shown. */
  constructor(state: FleetState, publisher: Publisher, watch: Watch, onSession: (session: string) => void) {
    this.#shown = {
      ...state,
      projects: new Map(state.projects),
      tasks: new Map(state.tasks),
      sessions: new Map(state.sessions),
      holders: new Map(state.holders),
    };
    this.#publisher = publisher;
    this.#watch = watch;
    this.#onSession = onSession;
    publisher.subscribe(null, (messages) => this.#see(messages));
  }

  open(): void {
    this.#publisher.begin();
    this.#isOpen = true;
  }

  setReadOnly(message: string | null): void {
    this.#readOnly = message;
    if (this.#isOpen) this.#publisher.setReadOnly(message);
  }

  /** A turn may be known from now on; its documents follow. */
  release(turn: Turn): void {
    const at = turn.rows.at(-1)?.at ?? this.#shown.at;
    for (const event of turn.events) evolve(this.#shown, event, at);
  }

  #see(messages: readonly StreamMessage[]): void {
    for (const message of messages) {
      if ('upsert' in message) {
        this.#client.set(`${message.upsert.kind}/${message.upsert.key}`, message.upsert);
        if (!this.#isOpen) continue;
        if (this.#changesSeen++ % checkedEvery === 0) this.#expectShown(message.upsert);
        if (message.upsert.kind === 'session') this.#onSession(message.upsert.key);
      } else if ('remove' in message) this.#client.delete(`${message.remove.kind}/${message.remove.key}`);
    }
  }

  #expectShown({ kind, key, document }: KeyedDocument): void {
    const session = this.#shown.sessions.get(key);
    const expected =
      kind === 'host'
        ? hostDocument(this.#shown, this.#readOnly)
        : kind === 'session' && session !== undefined
          ? sessionDocument(this.#shown, session, 0)
          : null;
    if (expected === null) {
      if (kind === 'session') this.#watch.fail('published', `Session ${key} is shown and not on record`);
      return;
    }
    const [actual, wanted] = [onRecord(document), onRecord(expected)];
    this.#watch.expect(actual === wanted, 'published', () => `Shown ${actual} against ${wanted} on record`);
  }

  /** All that clients have seen adds up to this state. */
  expectAll(state: FleetState): void {
    const watch = this.#watch;
    const expected = keyedDocuments(state, 0, this.#readOnly);
    const client = [...this.#client.values()].map(textOf).sort();
    watch.expect(client.join('\n') === expected.map(textOf).sort().join('\n'), 'published', () => {
      const wanted = expected.map(textOf).sort();
      const extra = client.filter((text) => !wanted.includes(text));
      return `Clients see ${extra[0] ?? 'nothing'} instead of ${wanted.filter((text) => !client.includes(text))[0] ?? 'nothing'}`;
    });
    const snapshot = this.#publisher.snapshot().documents.map(textOf).sort();
    watch.expect(
      snapshot.join('\n') === client.join('\n'),
      'published',
      () => 'The stream does not add up to the snapshot',
    );
  }
}

/** Without what needs no record: it may be shown a little before or after the turn that brought it. */
function onRecord(document: KeyedDocument['document']): string {
  return JSON.stringify({ ...document, waitSec: 0, why: '', terminalPaused: null, footprintMiB: null, liveness: null });
}

function timeless(document: KeyedDocument['document']): string {
  return JSON.stringify({ ...document, waitSec: 0 });
}

function textOf({ kind, key, document }: KeyedDocument): string {
  return `${kind}/${key} ${timeless(document)}`;
}
