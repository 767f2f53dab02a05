import { ok, type Result, refuse } from '../base/index.ts';
import type {
  AgentsDocument,
  DiffDocument,
  DoctorDocument,
  DoneDocument,
  ErrorCode,
  EventsDocument,
  ExplainDocument,
  KeysRequest,
  RunDocument,
  SendRequest,
  ShowDocument,
  SnapshotDocument,
  StatusDocument,
  TaskStartRequest,
  TrustDocument,
} from '../protocol/index.ts';
import { errorCodes } from '../protocol/index.ts';
import { type Answer, type Transport, Unreachable } from './transport.ts';

type Asked<Document> = Promise<Result<Document, ErrorCode>>;

/**
 * What the daemon can be asked, as typed calls. Ids are full ids. A refusal of the daemon comes back as the refusal it
 * was; a daemon that cannot be reached is the refusal `daemon/not-running`.
 */
export class Api {
  readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  status(): Asked<StatusDocument> {
    return this.#ask('concert/status@1', 'GET', '/v1/status');
  }

  snapshot(): Asked<SnapshotDocument> {
    return this.#ask('concert/snapshot@1', 'GET', '/v1/snapshot');
  }

  doctor(): Asked<DoctorDocument> {
    return this.#ask('concert/doctor@1', 'GET', '/v1/doctor');
  }

  agents(): Asked<AgentsDocument> {
    return this.#ask('concert/agents@1', 'GET', '/v1/agents');
  }

  /** Events after `since`, oldest first, at most 10,000 at once. */
  events({ since, limit, session }: { since: number; limit: number; session?: string }): Asked<EventsDocument> {
    const only = session === undefined ? '' : `&session=${encodeURIComponent(session)}`;
    return this.#ask('concert/events@1', 'GET', `/v1/events?since=${since}&limit=${limit}${only}`);
  }

  /** Ends the daemon; sessions go on. */
  stop(): Asked<DoneDocument> {
    return this.#ask('concert/done@1', 'POST', '/v1/stop');
  }

  startTask(request: TaskStartRequest): Asked<RunDocument> {
    return this.#ask('concert/run@1', 'POST', '/v1/tasks', request);
  }

  removeTask(task: string): Asked<DoneDocument> {
    return this.#ask('concert/done@1', 'DELETE', `/v1/tasks/${encodeURIComponent(task)}`);
  }

  demo(action: 'start' | 'stop', env: Readonly<Record<string, string>>): Asked<DoneDocument> {
    return this.#ask('concert/done@1', 'POST', '/v1/demo', { action, env });
  }

  /** Null `hash` only asks what a yes would allow; a yes names the hash of what was read. */
  trust(repository: string, hash: string | null): Asked<TrustDocument> {
    return this.#ask('concert/trust@1', 'POST', '/v1/trust', { repository, hash });
  }

  show(session: string, screen: boolean): Asked<ShowDocument> {
    return this.#ask('concert/session@1', 'GET', sessionPath(session, screen ? '?screen' : ''));
  }

  explain(session: string): Asked<ExplainDocument> {
    return this.#ask('concert/explain@1', 'GET', sessionPath(session, '/explain'));
  }

  diff(session: string, patch: boolean): Asked<DiffDocument> {
    return this.#ask('concert/diff@1', 'GET', sessionPath(session, patch ? '/diff?patch' : '/diff'));
  }

  /** The exact bytes from an offset on. Resolves when all that is there now has been taken. */
  async log(session: string, from: number, take: (bytes: Uint8Array) => Promise<void>): Asked<null> {
    const answer = await this.#reach(() => this.transport.download(sessionPath(session, `/log?from=${from}`), take));
    if (!answer.ok) return answer;
    return answer.value.status === 200 ? ok(null) : refusalIn(answer.value);
  }

  send(session: string, request: SendRequest): Asked<DoneDocument> {
    return this.#act(session, '/send', request);
  }

  keys(session: string, request: KeysRequest): Asked<DoneDocument> {
    return this.#act(session, '/keys', request);
  }

  stopSession(session: string): Asked<DoneDocument> {
    return this.#act(session, '/stop');
  }

  pause(session: string): Asked<DoneDocument> {
    return this.#act(session, '/pause');
  }

  /** `env` is the caller's environment; the daemon takes what its list allows. */
  resume(session: string, env: Readonly<Record<string, string>>): Asked<DoneDocument> {
    return this.#act(session, '/resume', { env });
  }

  settle(session: string): Asked<DoneDocument> {
    return this.#act(session, '/done');
  }

  rename(session: string, name: string): Asked<DoneDocument> {
    return this.#act(session, '/rename', { name });
  }

  bindTab(session: string, tab: number | null): Asked<DoneDocument> {
    return this.#act(session, '/tab', { tab });
  }

  remove(session: string, force: boolean): Asked<DoneDocument> {
    return this.#ask('concert/done@1', 'DELETE', sessionPath(session, ''), { force });
  }

  #act(session: string, path: string, body?: unknown): Asked<DoneDocument> {
    return this.#ask('concert/done@1', 'POST', sessionPath(session, path), body);
  }

  async #ask<Document>(schema: string, ...request: Parameters<Transport['request']>): Asked<Document> {
    const answer = await this.#reach(() => this.transport.request(...request));
    if (!answer.ok) return answer;
    if (answer.value.status !== 200) return refusalIn(answer.value);
    const document = parse(answer.value.text);
    if (schemaOf(document) === schema) return ok(document as Document);
    return refuse(
      'daemon/internal',
      `The daemon answered ${schemaOf(document) ?? 'no document'} where ${schema} was expected: it is of another version; sessions go on`,
      'concert down && concert up',
    );
  }

  async #reach(ask: () => Promise<Answer>): Asked<Answer> {
    try {
      return ok(await ask());
    } catch (error) {
      if (error instanceof Unreachable) return error.refusal ?? refuse('daemon/not-running', error.message);
      throw error;
    }
  }
}

function sessionPath(session: string, rest: string): string {
  return `/v1/sessions/${encodeURIComponent(session)}${rest}`;
}

/** An answer that is no document at all comes from something else than our daemon, or from one that is breaking down. */
function refusalIn(answer: Answer): ReturnType<typeof refuse<ErrorCode>> {
  const document = parse(answer.text);
  if (schemaOf(document) !== 'concert/error@1')
    return refuse('daemon/internal', `The daemon answered with status ${answer.status}; sessions are not affected`);
  const { code, message, hint } = document as { code: string; message: string; hint: string };
  return refuse(isErrorCode(code) ? code : 'daemon/internal', message, hint);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

function schemaOf(document: unknown): string | null {
  const isTagged = typeof document === 'object' && document !== null && 'schema' in document;
  return isTagged && typeof document.schema === 'string' ? document.schema : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever asked says what it means that this is no document.
    return null;
  }
}
