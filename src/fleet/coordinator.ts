/**
 * Everything hosts of one fleet agree on. `local` (in `store/`) serves a single host and is used by everyone every day;
 * a networked one joins beside it without changing the callers. Delivery is at least once, a state transition exactly
 * once (by token), and at most one owner is unfenced.
 */
export interface Coordinator extends AsyncDisposable {
  /** Makes a task claimable. Repeating it is harmless. */
  enqueue(task: string, pool: string): Promise<void>;
  /** Takes a waiting task or takes it over from a dead owner; answers the fencing token, or null when nothing waits. */
  claim(pool: string, owner: string): Promise<Claim | null>;
  /** False when the token is no longer current: stop working on it at once. */
  renew(claim: Claim): Promise<boolean>;
  /** False when the token is no longer current; the result then does not count. */
  commit(claim: Claim): Promise<boolean>;
  /** Gives the task back to the queue. */
  release(claim: Claim): Promise<boolean>;
  /** A named seat held by one owner, bound to its incarnation. Null while another holds it. */
  lease(name: string, owner: string): Promise<Lease | null>;

  /** To every subscriber of exactly this subject. Whoever gets a message leaves its bytes as they are. */
  publish(subject: string, message: Uint8Array): Promise<void>;
  subscribe(subject: string, listener: (message: Uint8Array) => void): Disposable;
  /** Rejects with code `rpc/unserved`, `rpc/deadline`, or `rpc/failed` when the one who serves it threw. */
  rpc(subject: string, request: Uint8Array, deadlineMs: number): Promise<Uint8Array>;
  /** One answerer for each subject. */
  serve(subject: string, answer: (request: Uint8Array) => Promise<Uint8Array>): Disposable;
  /** The present owners of a pool's tasks, again after each change. */
  watch(pool: string, listener: (claims: readonly Claim[]) => void): Disposable;

  /** Content-addressed; the name is the SHA-256 in hexadecimal. */
  putBlob(bytes: Uint8Array): Promise<string>;
  /** Null when it was never put; rejects with code `blob/damaged` rather than hand out other bytes. */
  getBlob(sha256: string): Promise<Uint8Array | null>;
}

export interface Claim {
  task: string;
  owner: string;
  token: number;
}

export interface Lease extends AsyncDisposable {
  name: string;
  owner: string;
  token: number;
}
