import type { ExitFacts } from '../fleet/index.ts';
import type { SimAgent, Utterance } from './sim-agent.ts';

/** What a holder tells everyone connected to it, in order. */
export type HolderEvent =
  | { type: 'said'; session: string; incarnation: number; utterance: Utterance }
  | { type: 'printed'; session: string; incarnation: number; head: number }
  | { type: 'paused'; session: string; incarnation: number; reason: string | null }
  | { type: 'exited'; session: string; incarnation: number; exit: ExitFacts }
  /** The connection ended with the holder. */
  | { type: 'gone'; holder: string };

/** The daemon's end of a connection. */
export interface HolderLink {
  isOpen(): boolean;
  receive(event: HolderEvent): void;
}

export interface SimChannel {
  session: string;
  incarnation: number;
  channel: number;
  /** Null once the program could not be started. */
  agent: SimAgent | null;
  pid: number;
  head: number;
  exit: ExitFacts | null;
  /** Why what it prints is held up, or null. */
  paused: string | null;
  /** Newest last; a new connection is told the last ones again, as a rebuilt screen would. */
  utterances: Utterance[];
}

/** Utterances a rebuilt screen still shows. */
const shownMax = 2;

/** A process that keeps terminals. Outlives daemons; obeys the highest epoch it has seen. */
export class SimHolder {
  readonly id: string;
  readonly pid: number;
  readonly channels = new Map<string, SimChannel>();
  readonly links = new Set<HolderLink>();
  isAlive = true;
  epochSeen = 0;

  constructor(id: string, pid: number) {
    this.id = id;
    this.pid = pid;
  }

  /** False when the frame comes from a daemon that another has replaced. */
  admits(epoch: number): boolean {
    if (epoch < this.epochSeen) return false;
    this.epochSeen = epoch;
    return true;
  }

  channel(session: string, incarnation: number): SimChannel | undefined {
    return this.channels.get(channelKey(session, incarnation));
  }

  liveCount(): number {
    let count = 0;
    for (const { agent } of this.channels.values()) if (agent?.isAlive === true) count++;
    return count;
  }

  /** From now on the link hears what happens, after what it has to know of the past. */
  connect(link: HolderLink): void {
    this.links.add(link);
    for (const { session, incarnation, utterances, exit, paused } of this.channels.values()) {
      for (const utterance of utterances) link.receive({ type: 'said', session, incarnation, utterance });
      if (paused !== null) link.receive({ type: 'paused', session, incarnation, reason: paused });
      if (exit !== null) link.receive({ type: 'exited', session, incarnation, exit });
    }
  }

  tell(event: HolderEvent): void {
    for (const link of this.links) if (link.isOpen()) link.receive(event);
  }

  hear(channel: SimChannel, utterance: Utterance): void {
    channel.utterances = [...channel.utterances, utterance].slice(-shownMax);
    this.tell({ type: 'said', session: channel.session, incarnation: channel.incarnation, utterance });
  }
}

export function channelKey(session: string, incarnation: number): string {
  return `${session}/${incarnation}`;
}
