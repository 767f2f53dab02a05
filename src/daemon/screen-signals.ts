import type { Signal, StatusRecord } from '../agents/index.ts';
import type { ScreenEvent } from '../terminal/index.ts';

/** What the screen of one process heard, as the adapters read it. Keeps the program's status table. */
export class ScreenSignals {
  readonly #records = new Map<string, StatusRecord>();

  /** Null for what only surfaces care about. */
  read(event: ScreenEvent, at: number): Signal | null {
    switch (event.type) {
      case 'title':
        return { kind: 'title', at, title: event.title };
      case 'bell':
        return { kind: 'bell', at };
      case 'notification':
        return { kind: 'notification', at, title: event.title, body: event.body };
      case 'mark':
        return {
          kind: 'mark',
          at,
          mark: event.mark === 'input' ? 'command' : event.mark,
          exitCode: event.exitCode ?? null,
        };
      case 'status': {
        const { id, state, kind = null, message = null, app = null, progress = null } = event.status;
        if (state === 'clear') this.#records.delete(id);
        else this.#records.set(id, { id, state, kind, message, app, progress });
        return { kind: 'status', at, records: [...this.#records.values()] };
      }
      case 'progress':
      case 'clipboard':
      case 'cwd':
        return null;
    }
  }
}
