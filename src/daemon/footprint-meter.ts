import type { Clock } from '../base/index.ts';
import type { FleetState, Input } from '../fleet/index.ts';
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
    const pids = new Map<number, string>();
    for (const session of this.#state.sessions.values())
      if (session.process !== null) pids.set(session.process.pid, session.id);
    if (pids.size > 0) {
      for (const [pid, footprintMiB] of treeMemoryMiB([...pids.keys()])) {
        const session = pids.get(pid);
        if (session === undefined || this.#state.sessions.get(session)?.footprintMiB === footprintMiB) continue;
        this.#report({ type: 'session/footprint', at: this.#clock.now(), session, footprintMiB });
      }
    }
    this.#next = this.#clock.after(everyMs, () => this.#measure());
  }
}
