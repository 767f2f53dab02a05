import {
  type BackoffOptions,
  backoffMs,
  type Clock,
  Emitter,
  type Event,
  ok,
  type Random,
  type Result,
} from '../base/index.ts';
import type { ErrorCode, KeyedDocument, SessionDocument, SnapshotDocument, StreamMessage } from '../protocol/index.ts';
import { Api } from './api.ts';
import { type FleetLists, listFleet } from './list-fleet.ts';
import type { Socket, Transport } from './transport.ts';

/** Between attempts to reach a daemon that went away. It is usually back within a second. */
const retry: BackoffOptions = { firstMs: 100, maxMs: 3_000 };
/** Changes kept while a new snapshot is fetched; beyond it the connection is begun anew. */
const heldMessagesMax = 20_000;

export interface FleetChange {
  upserted: readonly KeyedDocument[];
  removed: readonly { kind: KeyedDocument['kind']; key: string }[];
}

interface Ports {
  transport: Transport;
  clock: Clock;
  random: Pick<Random, 'float'>;
}

type Message = Exclude<StreamMessage, { reset: true }>;

/**
 * The fleet's documents, kept up to date from a snapshot and the stream of changes after it.
 *
 * `connected`: a stream is open and changes are applied as they come. `refreshing`: the daemon no longer knows what we
 * have seen, so a new snapshot is being fetched and changes wait for it. `away`: no daemon answers; the documents are
 * what they were, and it is tried again until disposed. A document that did not change (but for its waiting time) stays the
 * same object, whatever happened in between.
 */
export class FleetView implements Disposable {
  readonly #ports: Ports;
  readonly #api: Api;
  readonly #documents = new Map<string, { text: string; keyed: KeyedDocument }>();
  readonly #changes = new Emitter<FleetChange>();
  readonly #connection = new Emitter<boolean>();
  #seq: number;
  #socket: Socket | null = null;
  #held: Message[] | null = null;
  #attempt = 0;
  #wait: Disposable | null = null;
  #isConnected = false;
  #isClosed = false;

  /** Fires after every change that was applied. */
  readonly onChange: Event<FleetChange> = this.#changes.event;
  /** Fires when the stream opens (true) and when it is lost (false). */
  readonly onConnection: Event<boolean> = this.#connection.event;

  private constructor(ports: Ports, snapshot: SnapshotDocument) {
    this.#ports = ports;
    this.#api = new Api(ports.transport);
    this.#seq = snapshot.seq;
    this.#replace(snapshot);
  }

  /** Resolves once the first snapshot is there; refused when no daemon answers. The caller disposes. */
  static async open(ports: Ports): Promise<Result<FleetView, ErrorCode>> {
    const snapshot = await new Api(ports.transport).snapshot();
    if (!snapshot.ok) return snapshot;
    const view = new FleetView(ports, snapshot.value);
    view.#connect();
    return ok(view);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  lists(): FleetLists {
    return listFleet([...this.#documents.values()].map(({ keyed }) => keyed));
  }

  session(id: string): SessionDocument | undefined {
    const keyed = this.#documents.get(`session/${id}`)?.keyed;
    return keyed?.kind === 'session' ? keyed.document : undefined;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#wait?.[Symbol.dispose]();
    this.#socket?.close();
    this.#changes[Symbol.dispose]();
    this.#connection[Symbol.dispose]();
  }

  #connect(): void {
    const socket = this.#ports.transport.openSocket(`/v1/stream?since=${this.#seq}`);
    this.#socket = socket;
    socket.onOpen(() => {
      this.#attempt = 0;
      this.#setConnected(true);
    });
    socket.onMessage((message) => {
      if (typeof message === 'string' && socket === this.#socket) this.#receive(JSON.parse(message) as StreamMessage);
    });
    socket.onClose(() => {
      if (socket === this.#socket) this.#lose();
    });
  }

  #lose(): void {
    this.#socket = null;
    this.#held = null;
    if (this.#isClosed) return;
    this.#setConnected(false);
    this.#wait = this.#ports.clock.after(backoffMs(retry, this.#attempt, this.#ports.random.float()), () => {
      this.#wait = null;
      this.#connect();
    });
    this.#attempt++;
  }

  #receive(message: StreamMessage): void {
    if ('reset' in message) {
      if (this.#held === null) {
        this.#held = [];
        void this.#refresh();
      }
    } else if (this.#held === null) {
      this.#tell([message]);
    } else if (this.#held.length < heldMessagesMax) {
      this.#held.push(message);
    } else {
      this.#socket?.close();
    }
  }

  async #refresh(): Promise<void> {
    const socket = this.#socket;
    const snapshot = await this.#api.snapshot();
    if (socket === null || socket !== this.#socket || this.#isClosed) return;
    if (!snapshot.ok) return socket.close();
    const held = this.#held ?? [];
    this.#held = null;
    this.#seq = snapshot.value.seq;
    const change = this.#replace(snapshot.value);
    if (change.upserted.length + change.removed.length > 0) this.#changes.fire(change);
    this.#tell(held);
  }

  #tell(messages: readonly Message[]): void {
    const upserted: KeyedDocument[] = [];
    const removed: FleetChange['removed'][number][] = [];
    for (const message of messages) {
      if (message.seq <= this.#seq) continue;
      this.#seq = message.seq;
      if ('upsert' in message) {
        if (this.#put(message.upsert)) upserted.push(message.upsert);
      } else if (this.#documents.delete(nameOf(message.remove))) removed.push(message.remove);
    }
    if (upserted.length + removed.length > 0) this.#changes.fire({ upserted, removed });
  }

  #replace(snapshot: SnapshotDocument): FleetChange {
    const gone = new Map([...this.#documents].map(([name, { keyed }]) => [name, keyed]));
    const upserted = snapshot.documents.filter((keyed) => {
      gone.delete(nameOf(keyed));
      return this.#put(keyed);
    });
    for (const name of gone.keys()) this.#documents.delete(name);
    return { upserted, removed: [...gone.values()].map(({ kind, key }) => ({ kind, key })) };
  }

  /** True when it is not what we had. */
  #put(keyed: KeyedDocument): boolean {
    const name = nameOf(keyed);
    const text = JSON.stringify({ ...keyed.document, waitSec: 0 });
    if (this.#documents.get(name)?.text === text) return false;
    this.#documents.set(name, { text, keyed });
    return true;
  }

  #setConnected(isConnected: boolean): void {
    if (this.#isConnected === isConnected) return;
    this.#isConnected = isConnected;
    this.#connection.fire(isConnected);
  }
}

function nameOf({ kind, key }: { kind: string; key: string }): string {
  return `${kind}/${key}`;
}
