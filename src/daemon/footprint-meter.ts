import type { Clock } from '../base/index.ts';
import type { FleetState, Input, Session } from '../fleet/index.ts';
import { treeMemoryMiB } from './process-facts.ts';

/** Reading every process of the machine costs a few ms; memory of agents moves slowly. */
const everyMs = 15_000;

/** Measures what each session's process and all it started occupy. */
export class FootprintMeter implements Disposable {
  readonly #clock: Clock;
  readonly #state: FleetState;
  readonly #report: (input: Input) => void;
  #next: Disposable;

  constructor(ports: { clock: Clock }, options: { state: FleetState; report(input: Input): void }) {
    this.#clock = ports.clock;
    this.#state = options.state;
    this.#report = options.report;
    this.#next = this.#clock.after(2_000, () => this.#measure());
  }

  [Symbol.dispose](): void {
    this.#next[Symbol.dispose]();
  }

  #measure(): void {
    const running = new Map<number, Session>();
    for (const session of this.#state.sessions.values()) {
      if (session.process !== null && session.process.pid > 0) running.set(session.process.pid, session);
    }
    if (running.size > 0) {
      const at = this.#clock.now();
      for (const [pid, footprintMiB] of treeMemoryMiB([...running.keys()])) {
        const session = running.get(pid);
        if (session === undefined || session.footprintMiB === footprintMiB) continue;
        const { id, incarnation } = session;
        this.#report({ type: 'session/footprint', at, session: id, incarnation, footprintMiB });
      }
    }
    this.#next = this.#clock.after(everyMs, () => this.#measure());
  }
}
