import { AssertionError, type Clock, DisposableStore, toDisposable } from '../base/index.ts';
import type { Claim, Coordinator, Lease } from '../fleet/index.ts';
import { BlobFolder } from './blob-folder.ts';
import type { SeatRow } from './claim-book.ts';
import type { LocalJournal } from './journal.ts';
import { LocalBus } from './local-bus.ts';
import { StoreError } from './store-error.ts';

export interface LocalCoordinatorOptions {
  /** Stays the caller's; it closes it after the coordinator. */
  journal: LocalJournal;
  /** Of this daemon; claims asked for under a lower one than the journal has seen are refused as `journal/fenced`. */
  epoch: number;
  /** Folder for blobs; made when missing. */
  blobs: string;
  clock: Clock;
  /** True for an owner that can no longer act: an earlier incarnation, a process that has ended. Time alone never makes it so. */
  isOwnerGone?: (owner: string) => boolean;
}

/**
 * The coordinator of a single host: claims and seats in the journal's own transactions, messages within the process,
 * blobs in a folder. Calls that touch the journal reject with a `StoreError`, as its appends do.
 */
export async function openLocalCoordinator(options: LocalCoordinatorOptions): Promise<Coordinator> {
  return new LocalCoordinator(options, await BlobFolder.open(options.blobs));
}

class LocalCoordinator implements Coordinator {
  readonly #journal: LocalJournal;
  readonly #epoch: number;
  readonly #isOwnerGone: (owner: string) => boolean;
  readonly #blobs: BlobFolder;
  readonly #bus: LocalBus;
  readonly #open = new DisposableStore();

  constructor({ journal, epoch, clock, isOwnerGone = () => false }: LocalCoordinatorOptions, blobs: BlobFolder) {
    this.#journal = journal;
    this.#epoch = epoch;
    this.#isOwnerGone = isOwnerGone;
    this.#blobs = blobs;
    this.#bus = new LocalBus(clock);
  }

  async enqueue(task: string, pool: string): Promise<void> {
    await this.#journal.coordinate(this.#epoch, 'enqueue', { task, pool });
  }

  async claim(pool: string, owner: string): Promise<Claim | null> {
    const waiting = await this.#journal.coordinate(this.#epoch, 'claim', { pool, owner });
    return waiting ?? (await this.#claimFromTheGone(pool, owner));
  }

  renew(claim: Claim): Promise<boolean> {
    return this.#journal.coordinate(this.#epoch, 'renew', claim);
  }

  commit(claim: Claim): Promise<boolean> {
    return this.#journal.coordinate(this.#epoch, 'commit', claim);
  }

  release(claim: Claim): Promise<boolean> {
    return this.#journal.coordinate(this.#epoch, 'release', claim);
  }

  async lease(name: string, owner: string): Promise<Lease | null> {
    let seat = await this.#journal.coordinate(this.#epoch, 'sit', { name, owner });
    if (seat.owner !== owner && this.#isOwnerGone(seat.owner))
      seat = await this.#journal.coordinate(this.#epoch, 'unseat', { name, token: seat.token, owner });
    return seat.owner === owner ? this.#toLease(seat) : null;
  }

  publish(subject: string, message: Uint8Array): Promise<void> {
    return this.#bus.publish(subject, message);
  }

  subscribe(subject: string, listener: (message: Uint8Array) => void): Disposable {
    return this.#own(this.#bus.subscribe(subject, listener));
  }

  rpc(subject: string, request: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    return this.#bus.rpc(subject, request, deadlineMs);
  }

  serve(subject: string, answer: (request: Uint8Array) => Promise<Uint8Array>): Disposable {
    return this.#own(this.#bus.serve(subject, answer));
  }

  watch(pool: string, listener: (claims: readonly Claim[]) => void): Disposable {
    let isWatching = true;
    const look = async () => {
      const claims = await this.#journal.coordinate(this.#epoch, 'claimed', { pool });
      if (isWatching) listener(claims);
    };
    const changes = this.#journal.claimsChanged((pools) => {
      if (pools.includes(pool)) look().catch(leaveToCallers);
    });
    look().catch(leaveToCallers);
    return this.#own(
      toDisposable(() => {
        isWatching = false;
        changes[Symbol.dispose]();
      }),
    );
  }

  putBlob(bytes: Uint8Array): Promise<string> {
    return this.#blobs.put(bytes);
  }

  getBlob(sha256: string): Promise<Uint8Array | null> {
    return this.#blobs.get(sha256);
  }

  /** Ends every subscription; claims and seats stay, they belong to their owners. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#open[Symbol.dispose]();
  }

  async #claimFromTheGone(pool: string, owner: string): Promise<Claim | null> {
    for (const { task, token, owner: holder } of await this.#journal.coordinate(this.#epoch, 'claimed', { pool })) {
      if (holder === owner || !this.#isOwnerGone(holder)) continue;
      const claim = await this.#journal.coordinate(this.#epoch, 'takeOver', { task, token, owner });
      if (claim) return claim;
    }
    return null;
  }

  #toLease({ name, owner, token }: SeatRow): Lease {
    const end = async () => {
      await this.#journal.coordinate(this.#epoch, 'stand', { name, owner, token });
    };
    return { name, owner, token, [Symbol.asyncDispose]: end };
  }

  #own(subscription: Disposable): Disposable {
    this.#open.add(subscription);
    return toDisposable(() => {
      this.#open.release(subscription);
      subscription[Symbol.dispose]();
    });
  }
}

/** A journal that fails says so to everyone who asks it for something; a watcher just sees no further change. */
function leaveToCallers(error: unknown): void {
  if (!(error instanceof StoreError || error instanceof AssertionError)) throw error;
}
