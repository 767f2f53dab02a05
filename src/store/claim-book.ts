import type { Claim, CoordinationStep } from '../fleet/index.ts';
import type { SqlRow } from './db.ts';
import { blobToHex, hashFields, hexToBlob } from './row-hash.ts';
import type { Statements } from './statements.ts';
import { StoreError } from './store-error.ts';

/** Who may work on a task. `owner` is empty unless it is claimed or done; `place` is its turn among the waiting of its pool. */
export interface ClaimRow {
  task: string;
  pool: string;
  status: 'waiting' | 'claimed' | 'done';
  place: number;
  owner: string;
  token: number;
}

/** A named seat; `owner` is empty while nobody holds it. */
export interface SeatRow {
  name: string;
  owner: string;
  token: number;
}

/** What a coordinator may ask, and what it is told. */
export interface CoordinationCalls {
  enqueue: { ask: { task: string; pool: string }; answer: boolean };
  claim: { ask: { pool: string; owner: string }; answer: Claim | null };
  /** From an owner that is gone: `token` is the one it held. Null when that is no longer so. */
  takeOver: { ask: { task: string; token: number; owner: string }; answer: Claim | null };
  renew: { ask: Claim; answer: boolean };
  release: { ask: Claim; answer: boolean };
  commit: { ask: Claim; answer: boolean };
  claimed: { ask: { pool: string }; answer: Claim[] };
  /** Answers who holds the seat after the attempt. */
  sit: { ask: { name: string; owner: string }; answer: SeatRow };
  unseat: { ask: { name: string; token: number; owner: string }; answer: SeatRow };
  stand: { ask: SeatRow; answer: boolean };
}

export type CoordinationRequest = {
  [Type in keyof CoordinationCalls]: { type: Type } & CoordinationCalls[Type]['ask'];
}[keyof CoordinationCalls];

export type CoordinationAnswer = CoordinationCalls[keyof CoordinationCalls]['answer'];

/**
 * The rules of claims and seats, inside the transaction of whoever calls. A task goes waiting → claimed → done, back to
 * waiting by a release, and from claimed to claimed by a take-over; done is final. Each claim raises the token, and
 * nothing is changed by anyone who does not name the present owner and token.
 */
export class ClaimBook {
  readonly #statements: Statements;
  /** Pools whose claims changed since the owner last emptied it. */
  readonly changedPools = new Set<string>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** False when the step is stale: its batch must not count. Enqueueing what is already known is no fault. */
  apply(step: CoordinationStep): boolean {
    switch (step.type) {
      case 'enqueue':
        this.#enqueue(step.task, step.pool);
        return true;
      case 'claim':
        return this.#claimTask(step);
      case 'renew':
        return this.#isCurrent(step);
      case 'release':
        return this.#end(step, 'waiting');
      case 'commit':
        return this.#end(step, 'done');
    }
  }

  answer(request: CoordinationRequest): CoordinationAnswer {
    switch (request.type) {
      case 'claim':
        return this.#claimNext(request.pool, request.owner);
      case 'takeOver':
        return this.#takeOver(request);
      case 'claimed':
        return this.#statements.claimed.all(request.pool).map(readClaim).map(toClaim);
      case 'sit':
        return this.#sit(request.name, request.owner, '');
      case 'unseat':
        return this.#unseat(request);
      case 'stand':
        return this.#stand(request);
      default:
        return this.apply(request);
    }
  }

  #enqueue(task: string, pool: string): boolean {
    if (this.#find(task) !== null) return false;
    const place = Number(this.#statements.lastPlace.get(pool, pool, pool)?.place ?? 0) + 1;
    this.#write({ task, pool, status: 'waiting', place, owner: '', token: 0 });
    return true;
  }

  #claimTask({ task, owner, token }: Claim): boolean {
    const row = this.#find(task);
    if (row === null || row.status === 'done' || token <= row.token) return false;
    this.#write({ ...row, status: 'claimed', owner, token });
    return true;
  }

  #claimNext(pool: string, owner: string): Claim | null {
    const found = this.#statements.firstWaiting.get(pool);
    if (!found) return null;
    const row = readClaim(found);
    const claim = { task: row.task, owner, token: row.token + 1 };
    this.#write({ ...row, status: 'claimed', ...claim });
    return claim;
  }

  #takeOver({ task, token, owner }: CoordinationCalls['takeOver']['ask']): Claim | null {
    const row = this.#find(task);
    if (row?.status !== 'claimed' || row.token !== token) return null;
    const claim = { task, owner, token: token + 1 };
    this.#write({ ...row, ...claim });
    return claim;
  }

  #isCurrent(claim: Claim): boolean {
    return this.#current(claim) !== null;
  }

  #end(claim: Claim, status: 'waiting' | 'done'): boolean {
    const row = this.#current(claim);
    if (row === null) return false;
    this.#write({ ...row, status, owner: status === 'done' ? row.owner : '' });
    return true;
  }

  #current({ task, owner, token }: Claim): ClaimRow | null {
    const row = this.#find(task);
    return row?.status === 'claimed' && row.owner === owner && row.token === token ? row : null;
  }

  #find(task: string): ClaimRow | null {
    const row = this.#statements.claim.get(task);
    return row ? readClaim(row) : null;
  }

  #write(row: ClaimRow): void {
    writeClaim(this.#statements, row);
    this.changedPools.add(row.pool);
  }

  /** Takes a seat that is free, held by `owner` already, or held by `from`. */
  #sit(name: string, owner: string, from: string): SeatRow {
    const found = this.#statements.seat.get(name);
    const seat = found ? readSeat(found) : { name, owner: '', token: 0 };
    if (seat.owner === owner || (seat.owner !== '' && seat.owner !== from)) return seat;
    const taken = { name, owner, token: seat.token + 1 };
    writeSeat(this.#statements, taken);
    return taken;
  }

  #unseat({ name, token, owner }: CoordinationCalls['unseat']['ask']): SeatRow {
    const seat = this.#statements.seat.get(name);
    return this.#sit(name, owner, seat?.token === token ? readSeat(seat).owner : '');
  }

  #stand({ name, owner, token }: SeatRow): boolean {
    const found = this.#statements.seat.get(name);
    if (!found) return false;
    const seat = readSeat(found);
    if (seat.owner !== owner || seat.token !== token) return false;
    writeSeat(this.#statements, { ...seat, owner: '' });
    return true;
  }
}

export function writeClaim(statements: Statements, row: ClaimRow): void {
  const { task, pool, status, place, owner, token } = row;
  statements.writeClaim.run(task, pool, status, place, owner, token, hexToBlob(hashClaim(row)));
}

export function writeSeat(statements: Statements, seat: SeatRow): void {
  statements.writeSeat.run(seat.name, seat.owner, seat.token, hexToBlob(hashSeat(seat)));
}

/** The claim, or null when its hash does not prove it. */
export function believeClaim(row: SqlRow): ClaimRow | null {
  const { task, pool, status, place, owner, token } = row;
  const claim = { task, pool, status, place, owner, token } as ClaimRow;
  return blobToHex(row.hash) === hashClaim(claim) ? claim : null;
}

/** The seat, or null when its hash does not prove it. */
export function believeSeat(row: SqlRow): SeatRow | null {
  const { name, owner, token } = row;
  const seat = { name, owner, token } as SeatRow;
  return blobToHex(row.hash) === hashSeat(seat) ? seat : null;
}

function readClaim(row: SqlRow): ClaimRow {
  const claim = believeClaim(row);
  if (claim === null)
    throw new StoreError('journal/damaged', `Cannot believe the claim on task "${row.task}": its record is damaged`);
  return claim;
}

function readSeat(row: SqlRow): SeatRow {
  const seat = believeSeat(row);
  if (seat === null)
    throw new StoreError('journal/damaged', `Cannot believe the seat "${row.name}": its record is damaged`);
  return seat;
}

function hashClaim({ task, pool, status, place, owner, token }: ClaimRow): string {
  return hashFields(task, pool, status, place, owner, token);
}

function hashSeat({ name, owner, token }: SeatRow): string {
  return hashFields(name, owner, token);
}

function toClaim({ task, owner, token }: ClaimRow): Claim {
  return { task, owner, token };
}
