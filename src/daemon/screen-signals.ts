import type { Signal } from '../agents/index.ts';
import type { ScreenEvent } from '../terminal/index.ts';

/** What a screen heard, as the adapters read it; null for what only surfaces care about. */
export function signalOf(event: ScreenEvent, at: number): Signal | null {
  switch (event.type) {
    case 'title':
      return { kind: 'title', at, title: event.title };
    case 'bell':
      return { kind: 'bell', at };
    case 'notification':
      return { kind: 'notification', at, title: event.title, body: event.body };
    case 'mark':
      return { kind: 'mark', at, mark: event.mark === 'input' ? 'command' : event.mark, exitCode: event.exitCode ?? null };
    case 'status':
      return { kind: 'status', at, records: event.records };
    case 'progress':
    case 'clipboard':
    case 'cwd':
      return null;
  }
}
