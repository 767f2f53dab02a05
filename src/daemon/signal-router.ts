import type { Agent, RunningSession, Signal, SignalReader } from '../agents/index.ts';
import type { Clock } from '../base/index.ts';
import type { FleetState, Input } from '../fleet/index.ts';

/** A session that has printed nothing for this long is asked about; then again each time the silence has doubled. */
const firstSilenceMs = 10_000;
const lookMs = 2_000;
/** Output is told to the fleet at most this often per session: it feeds lists, not decisions. */
const outputEveryMs = 5_000;

interface Tracked {
  incarnation: number;
  reader: SignalReader;
  lastOutputAt: number;
  outputToldAt: number;
  silenceDueMs: number;
}

/**
 * Hands every signal of a running session to the reader of its agent, once and in order, and the evidence it makes to
 * the fleet. Knows no agent by name.
 */
export class SignalRouter implements Disposable {
  readonly #state: FleetState;
  readonly #agents: ReadonlyMap<string, Agent>;
  readonly #clock: Clock;
  readonly #report: (input: Input) => void;
  readonly #tracked = new Map<string, Tracked>();
  #look: Disposable;

  constructor(
    ports: { clock: Clock },
    options: { state: FleetState; agents: ReadonlyMap<string, Agent>; report(input: Input): void },
  ) {
    this.#clock = ports.clock;
    this.#state = options.state;
    this.#agents = options.agents;
    this.#report = options.report;
    this.#look = this.#clock.after(lookMs, () => this.#lookForSilence());
  }

  /** Begins with a new process, or with one that another daemon started. */
  track(running: RunningSession): void {
    const spec = this.#state.tasks.get(this.#state.sessions.get(running.session)?.task ?? '')?.spec;
    const agent = this.#agents.get(spec?.agent ?? '');
    if (agent === undefined) return;
    this.#tracked.set(running.session, {
      incarnation: running.incarnation,
      reader: agent.readSignals(running),
      lastOutputAt: this.#clock.now(),
      outputToldAt: 0,
      silenceDueMs: firstSilenceMs,
    });
  }

  drop(session: string): void {
    this.#tracked.delete(session);
  }

  /** `offset`: where in the output the signal was, if it was there. */
  feed(session: string, signal: Signal, offset?: number): void {
    const tracked = this.#tracked.get(session);
    const current = this.#state.sessions.get(session);
    if (tracked === undefined || current === undefined || current.incarnation !== tracked.incarnation) return;
    const said = tracked.reader.read(signal, current.state);
    const evidence = offset === undefined ? said : said.map((piece) => ({ ...piece, offset }));
    if (evidence.length === 0) return;
    this.#report({
      type: 'session/evidence',
      at: this.#clock.now(),
      session,
      incarnation: tracked.incarnation,
      evidence,
    });
  }

  /** The session printed; `head` is the offset after its newest byte. */
  output(session: string, head: number): void {
    const tracked = this.#tracked.get(session);
    if (tracked === undefined) return;
    const now = this.#clock.now();
    const wasSilent = now - tracked.lastOutputAt >= firstSilenceMs || tracked.outputToldAt === 0;
    tracked.lastOutputAt = now;
    tracked.silenceDueMs = firstSilenceMs;
    if (now - tracked.outputToldAt < outputEveryMs && !wasSilent) return;
    tracked.outputToldAt = now;
    this.#report({ type: 'session/output', at: now, session, incarnation: tracked.incarnation, head });
    this.feed(session, { kind: 'output', at: now });
  }

  [Symbol.dispose](): void {
    this.#look[Symbol.dispose]();
    this.#tracked.clear();
  }

  #lookForSilence(): void {
    const now = this.#clock.now();
    for (const [session, tracked] of this.#tracked) {
      const silentMs = now - tracked.lastOutputAt;
      if (silentMs < tracked.silenceDueMs) continue;
      tracked.silenceDueMs = silentMs * 2;
      this.feed(session, { kind: 'silence', at: now, silentMs });
    }
    this.#look = this.#clock.after(lookMs, () => this.#lookForSilence());
  }
}
