import { type Clock, ok, type Refusal, type Result } from '../base/index.ts';
import {
  Api,
  type FleetLists,
  listFleet,
  plainLine,
  resolveSession,
  type Transport,
  withoutTricks,
} from '../client/index.ts';
import { type DoneDocument, type ErrorCode, exitCodes, type Home, type SessionDocument } from '../protocol/index.ts';
import type { Invocation } from './invocation.ts';
import type { Look } from './look.ts';
import { type Outcome, printRefusal, sentence } from './outcome.ts';

/** Flags every verb takes. */
export interface Flags {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  color: boolean;
  /** Answers the question a verb would ask. */
  yes: boolean;
}

/** What a verb works with. Results go to standard output; progress, hints and refusals to standard error. */
export class Call {
  readonly invocation: Invocation;
  readonly flags: Flags;
  readonly home: Home;
  readonly look: Look;
  readonly clock: Clock;
  /** Brings the daemon back first where the verb allows that. */
  readonly api: Api;

  constructor(
    invocation: Invocation,
    options: { flags: Flags; home: Home; look: Look; clock: Clock; transport: Transport },
  ) {
    this.invocation = invocation;
    this.flags = options.flags;
    this.home = options.home;
    this.look = options.look;
    this.clock = options.clock;
    this.api = new Api(options.transport);
  }

  get transport(): Transport {
    return this.api.transport;
  }

  /** A person sits at it and can be asked. */
  get canAsk(): boolean {
    return this.invocation.stdin.isTTY === true && this.invocation.stderr.isTTY === true;
  }

  print(...lines: string[]): void {
    for (const line of lines) this.invocation.stdout.write(`${line}\n`);
  }

  tell(...lines: string[]): void {
    if (!this.flags.quiet) for (const line of lines) this.invocation.stderr.write(`${line}\n`);
  }

  /** The document as one line with `--json`, else its lines for people. */
  answer<Document extends object>(document: Document, lines: (document: Document) => readonly string[]): void {
    if (this.flags.json) this.print(withoutTricks(JSON.stringify(document)));
    else this.print(...lines(document));
  }

  /** For a verb that changed something and has nothing else to say. */
  report(answer: Result<DoneDocument, ErrorCode>): Outcome {
    if (!answer.ok) return answer;
    this.answer(answer.value, ({ message }) => [sentence(plainLine(message, 300))]);
    return exitCodes.ok;
  }

  refuse(refusal: Refusal<ErrorCode>): void {
    printRefusal(this.invocation, this.flags, refusal);
  }

  async fleet(): Promise<Result<FleetLists, ErrorCode>> {
    const snapshot = await this.api.snapshot();
    return snapshot.ok ? ok(listFleet(snapshot.value.documents)) : snapshot;
  }

  async session(ref: string): Promise<Result<SessionDocument, ErrorCode>> {
    const lists = await this.fleet();
    return lists.ok ? resolveSession(lists.value, ref) : lists;
  }
}
