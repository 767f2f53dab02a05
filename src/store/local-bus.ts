import { assert, type Clock, toDisposable } from '../base/index.ts';

type Listener = (message: Uint8Array) => void;
type Answer = (request: Uint8Array) => Promise<Uint8Array>;

/** A request between components got no answer. `rpc/unserved`: nobody serves the subject. `rpc/deadline`: too late. `rpc/failed`: the one who serves threw, see `cause`. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: 'rpc/unserved' | 'rpc/deadline' | 'rpc/failed';

  constructor(code: RpcError['code'], message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Messages between the parts of one daemon, by exact subject. Listeners run after `publish` was called, never inside it,
 * each on its own, so that one that throws is a crash of its own and no other's. Messages are shared, not copied: whoever
 * gets one leaves it as it is.
 */
export class LocalBus {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<{ call: Listener }>>();
  readonly #servers = new Map<string, Answer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when every listener has been called. */
  async publish(subject: string, message: Uint8Array): Promise<void> {
    for (const entry of this.#listeners.get(subject) ?? []) queueMicrotask(() => entry.call(message));
    await Promise.resolve();
  }

  subscribe(subject: string, listener: Listener): Disposable {
    const entry = { call: listener };
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners.add(entry));
    return toDisposable(() => {
      entry.call = () => {};
      listeners.delete(entry);
      if (listeners.size === 0 && this.#listeners.get(subject) === listeners) this.#listeners.delete(subject);
    });
  }

  /** One answerer for each subject. */
  serve(subject: string, answer: Answer): Disposable {
    assert(!this.#servers.has(subject), `"${subject}" is served already`);
    this.#servers.set(subject, answer);
    return toDisposable(() => this.#servers.delete(subject));
  }

  rpc(subject: string, request: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const answer = this.#servers.get(subject);
      if (!answer) {
        reject(new RpcError('rpc/unserved', `Nobody serves "${subject}"`));
        return;
      }
      const late = () => reject(new RpcError('rpc/deadline', `"${subject}" did not answer within ${deadlineMs} ms`));
      const timer = this.#clock.after(deadlineMs, late);
      Promise.resolve()
        .then(() => answer(request))
        .then(resolve, (cause) => reject(new RpcError('rpc/failed', `"${subject}" failed`, { cause })))
        .finally(() => timer[Symbol.dispose]());
    });
  }
}
