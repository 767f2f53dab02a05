import { ok } from '../../src/base/index.ts';
import type { TerminalNotice, TerminalRequest } from '../../src/protocol/index.ts';
import type { TerminalOutlet } from '../../src/server/index.ts';
import type { ScriptedFleet } from './scripted-fleet.ts';
import type { ScriptedHolder } from './scripted-holder.ts';

/** The daemon's half of attaching, as a test wants it: who drives, which screen is given. */
export class ScriptedTerminals {
  readonly requests: { session: string; request: TerminalRequest }[] = [];
  readonly outlets: { session: string; outlet: TerminalOutlet; isOpen: boolean }[] = [];
  /** Name of another terminal that drives; then who asks to drive only views, until it takes. */
  driver: string | null = null;
  /** What a fresh screen of this session shows, at the byte it is up to. */
  screen: (session: string) => { offset: number; bytes: string } = () => ({ offset: 0, bytes: '' });
  readonly #holders: ReadonlyMap<string, ScriptedHolder>;
  #tickets = 0;

  constructor(fleet: ScriptedFleet, holders: ReadonlyMap<string, ScriptedHolder>) {
    this.#holders = holders;
    fleet.openTerminal = (session, outlet) => {
      const entry = { session, outlet, isOpen: true };
      this.outlets.push(entry);
      return ok({
        request: (request: TerminalRequest) => this.#take(session, outlet, request),
        input() {},
        [Symbol.dispose]() {
          entry.isOpen = false;
        },
      });
    };
  }

  /** To every terminal of the session that is attached now. */
  tell(session: string, notice: TerminalNotice): void {
    for (const entry of this.outlets) if (entry.session === session && entry.isOpen) entry.outlet.notice(notice);
  }

  count(type: TerminalRequest['type']): number {
    return this.requests.filter(({ request }) => request.type === type).length;
  }

  #take(session: string, outlet: TerminalOutlet, request: TerminalRequest): void {
    this.requests.push({ session, request });
    const holder = this.#holders.get(session);
    if (holder === undefined) {
      outlet.notice({ type: 'refused', code: 'session/not-live', message: 'It has no terminal', hint: '' });
      return outlet.close();
    }
    if (request.type === 'attach' || request.type === 'take') {
      const asksToDrive = request.type === 'take' || request.mode === 'drive';
      if (request.type === 'take' || request.take) this.driver = null;
      const mode = asksToDrive && this.driver === null ? 'drive' : 'view';
      const ticket = `ticket-${++this.#tickets}`;
      holder.tickets.set(ticket, mode);
      const target = { socket: holder.socketPath, ticket, channel: holder.channel };
      outlet.notice({ type: 'attached', session, name: session, tab: null, mode, holder: target });
      if (asksToDrive && mode === 'view') outlet.notice({ type: 'mode', mode, driver: this.driver });
      this.#paint(session, outlet);
    } else if (request.type === 'resync') this.#paint(session, outlet);
    holder.changed();
  }

  #paint(session: string, outlet: TerminalOutlet): void {
    const { offset, bytes } = this.screen(session);
    outlet.notice({ type: 'screen', offset, columns: 80, rows: 24 });
    void outlet.bytes(Buffer.from(bytes));
  }
}
