/** What a ticket opens. The same ticket may be used by one connection after another, until it is revoked. */
interface Ticket {
  channel: number;
  mode: 'drive' | 'view';
}

/** Tickets of one holder at most: a daemon that dies leaves some behind, the oldest unused go first. */
const ticketsMax = 256;

/** Which terminals the daemon lets in. They outlive the daemon, so an attached terminal does too. */
export class Tickets {
  readonly #tickets = new Map<string, Ticket>();

  find(ticket: string | undefined): Ticket | undefined {
    return ticket === undefined ? undefined : this.#tickets.get(ticket);
  }

  /** False when all are in use. */
  grant(ticket: string, opens: Ticket, isUsed: (ticket: string) => boolean): boolean {
    this.#tickets.delete(ticket);
    if (this.#tickets.size >= ticketsMax) {
      const unused = [...this.#tickets.keys()].find((known) => !isUsed(known));
      if (unused === undefined) return false;
      this.#tickets.delete(unused);
    }
    this.#tickets.set(ticket, opens);
    return true;
  }

  /** Takes the seat of one ticket, or of every driver of a channel. Says what became of each that changed. */
  revoke(channel: number, ticket: string | undefined): Map<string, 'views' | 'ended'> {
    const changed = new Map<string, 'views' | 'ended'>();
    for (const [name, opens] of this.#tickets) {
      if (opens.channel !== channel || (ticket !== undefined && ticket !== name)) continue;
      if (opens.mode === 'drive') {
        opens.mode = 'view';
        changed.set(name, 'views');
      } else if (ticket !== undefined) {
        this.#tickets.delete(name);
        changed.set(name, 'ended');
      }
    }
    return changed;
  }

  /** The channel is gone. */
  drop(channel: number): void {
    for (const [name, opens] of this.#tickets) if (opens.channel === channel) this.#tickets.delete(name);
  }
}
