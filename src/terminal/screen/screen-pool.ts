import { type Clock, Emitter, type Log } from '../../base/index.ts';
import type { HolderExit } from '../../protocol/index.ts';
import { HolderConnection } from '../holder-connection.ts';
import { createScreen } from './create-screen.ts';
import type { ScreenEvent } from './screen-events.ts';
import type { Checkpoint, ScreenModel, ScreenText } from './screen-model.ts';

export interface WatchedTerminal {
  session: string;
  incarnation: number;
  holderSocket: string;
  channel: number;
  checkpointPath: string;
}

export class ScreenPool implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #epoch: number;
  readonly #models = new Map<string, { model: ScreenModel; connection: HolderConnection | null }>();
  readonly #output = new Emitter<{ session: string; head: number }>();
  readonly #event = new Emitter<{ session: string; event: ScreenEvent }>();
  readonly #exited = new Emitter<{ session: string; incarnation: number; exit: HolderExit }>();
  constructor(ports: { clock: Clock; log: Log }, options: { workers: number; entry: URL; epoch: number }) {
    this.#clock = ports.clock;
    this.#epoch = options.epoch;
  }
  get onOutput() {
    return this.#output.event;
  }
  get onEvent() {
    return this.#event.event;
  }
  get onExited() {
    return this.#exited.event;
  }
  watch({ session, incarnation, holderSocket, channel }: WatchedTerminal): void {
    void (async () => {
      const connection = await HolderConnection.open({
        socketPath: holderSocket,
        role: 'screen',
        epoch: this.#epoch,
        clock: this.#clock,
      });
      const model = createScreen({
        columns: 80,
        rows: 24,
        listeners: {
          event: (event) => this.#event.fire({ session, event }),
          answer: ({ queryOffset, bytes }) => connection.answer(channel, queryOffset, bytes),
        },
      });
      this.#models.set(session, { model, connection });
      const subscription = connection.subscribe(
        channel,
        { from: 0, credit: 1 << 20, coalesceMs: 20 },
        {
          data: (offset, bytes, head) => {
            model.write(bytes, offset + bytes.length);
            subscription.credit(bytes.length);
            this.#output.fire({ session, head });
          },
          resized: (_o, columns, rows) => model.resize(columns, rows),
          gap() {},
          exited: (_o, exit) => this.#exited.fire({ session, incarnation, exit }),
        },
      );
    })();
  }
  drop(session: string): void {
    this.#models.get(session)?.connection?.[Symbol.dispose]();
    this.#models.delete(session);
  }
  async text(session: string): Promise<ScreenText | null> {
    return this.#models.get(session)?.model.text() ?? null;
  }
  async checkpoint(session: string, history: number): Promise<Checkpoint> {
    return this.#models.get(session)!.model.checkpoint(history);
  }
  async sized(_session: string, _columns: number, _rows: number, _waitMs: number): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {
    for (const s of [...this.#models.keys()]) this.drop(s);
  }
}
