import type { ServerResponse } from 'node:http';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type * as z from 'zod';
import type { Result } from '../base/index.ts';
import {
  DemoRequest,
  type ErrorCode,
  errorCodes,
  KeysRequest,
  RemoveRequest,
  RenameRequest,
  ResumeRequest,
  SendRequest,
  TabRequest,
  TaskStartRequest,
  TrustRequest,
  textLengthMax,
} from '../protocol/index.ts';
import { errorDocument } from './error-document.ts';
import type { AnyRefusal, FleetPort, SessionAction, TerminalPort } from './ports.ts';

/** A prompt of `textLengthMax` characters, escaped as badly as JSON can, and an environment beside it. */
const bodyBytesMax = textLengthMax * 6 + 1_048_576;

/** The HTTP half of the API: parse, check, hand to the fleet, answer with a document. Knows no policy. */
export function createApp(fleet: FleetPort, terminals: TerminalPort): Hono {
  const app = new Hono();
  app.use(
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: (c) =>
        answerRefusal(c, {
          ok: false,
          code: 'request/too-large',
          message: `Cannot take a request above ${bodyBytesMax} bytes`,
        }),
    }),
  );
  app.notFound((c) =>
    answerRefusal(c, { ok: false, code: 'request/unknown-path', message: 'There is nothing at this path' }),
  );
  app.onError((error, c) => answerRefusal(c, refusalOfError(error)));

  app.get('/v1/status', (c) => c.json(fleet.status()));
  app.get('/v1/snapshot', (c) => c.json(fleet.snapshot()));
  app.get('/v1/doctor', async (c) => c.json(await fleet.doctor()));
  app.get('/v1/agents', async (c) => c.json({ schema: 'concert/agents@1', items: await fleet.agents() }));
  app.get('/v1/events', async (c) => {
    const { since = '0', limit = '1000', session } = c.req.query();
    return c.json(await fleet.events(wholeNumber(since), Math.min(10_000, wholeNumber(limit)), session ?? null));
  });
  app.post('/v1/stop', (c) => {
    fleet.stop();
    return c.json({ schema: 'concert/done@1', session: null, message: 'The daemon stops; sessions go on' });
  });

  app.post('/v1/tasks', async (c) => withBody(c, TaskStartRequest, (request) => fleet.startTask(request)));
  app.delete('/v1/tasks/:id', async (c) => answer(c, await fleet.removeTask(c.req.param('id'))));
  app.post('/v1/demo', async (c) => withBody(c, DemoRequest, ({ action, env }) => fleet.demo(action, env)));
  app.post('/v1/trust', async (c) =>
    withBody(c, TrustRequest, ({ repository, hash }) => fleet.trust(repository, hash)),
  );

  app.get('/v1/sessions/:id', async (c) =>
    answer(c, await fleet.show(c.req.param('id'), c.req.query('screen') !== undefined)),
  );
  app.get('/v1/sessions/:id/explain', (c) => answer(c, fleet.explain(c.req.param('id'))));
  app.get('/v1/sessions/:id/diff', async (c) =>
    answer(c, await fleet.diff(c.req.param('id'), c.req.query('patch') !== undefined)),
  );
  app.get('/v1/sessions/:id/log', (c) => answerLog(c, terminals));
  app.delete('/v1/sessions/:id', async (c) =>
    withBody(c, RemoveRequest, ({ force }) => fleet.act(idOf(c), { type: 'remove', force })),
  );

  const act = (path: string, action: SessionAction) =>
    app.post(`/v1/sessions/:id/${path}`, async (c) => answer(c, await fleet.act(idOf(c), action)));
  act('stop', { type: 'stop' });
  act('pause', { type: 'pause' });
  act('done', { type: 'settle' });
  app.post('/v1/sessions/:id/resume', async (c) =>
    withBody(c, ResumeRequest, ({ env }) => fleet.act(idOf(c), { type: 'resume', env })),
  );
  app.post('/v1/sessions/:id/send', async (c) =>
    withBody(c, SendRequest, ({ text, now }) => fleet.act(idOf(c), { type: 'send', text, now })),
  );
  app.post('/v1/sessions/:id/keys', async (c) =>
    withBody(c, KeysRequest, ({ bytes }) => fleet.act(idOf(c), { type: 'keys', bytes: Buffer.from(bytes, 'base64') })),
  );
  app.post('/v1/sessions/:id/rename', async (c) =>
    withBody(c, RenameRequest, ({ name }) => fleet.act(idOf(c), { type: 'rename', name })),
  );
  app.post('/v1/sessions/:id/tab', async (c) =>
    withBody(c, TabRequest, ({ tab }) => fleet.act(idOf(c), { type: 'tab', tab })),
  );
  return app;
}

/** The world failing has names of its own; everything else is our fault. */
function refusalOfError(error: Error): AnyRefusal {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const sessions = 'nothing was changed, running sessions go on';
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return { ok: false, code: 'disk/full', message: `The disk is full; ${sessions}` };
  if (code === 'EROFS') return { ok: false, code: 'disk/read-only', message: `The disk is read-only; ${sessions}` };
  const named = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'daemon/internal';
  return { ok: false, code: named, message: `The daemon could not answer: ${error.message}; running sessions go on` };
}

function idOf(c: Context): string {
  return c.req.param('id') ?? '';
}

function wholeNumber(text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

async function withBody<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
  then: (request: z.output<Schema>) => Promise<Result<unknown, ErrorCode>>,
): Promise<Response> {
  const text = await c.req.text();
  let json: unknown;
  try {
    json = text === '' ? {} : JSON.parse(text);
  } catch {
    return answerRefusal(c, { ok: false, code: 'request/invalid', message: 'The request is not JSON' });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? 'The request' : `"${issue.path.join('.')}"`;
    return answerRefusal(c, {
      ok: false,
      code: 'request/invalid',
      message: `${where} is not usable: ${issue?.message ?? 'wrong shape'}`,
    });
  }
  return answer(c, await then(parsed.data));
}

function answer(c: Context, result: Result<unknown, ErrorCode>): Response {
  return result.ok ? c.json(result.value as object) : answerRefusal(c, result);
}

function answerRefusal(c: Context, refusal: AnyRefusal): Response {
  return c.json(errorDocument(refusal), errorCodes[refusal.code].http as ContentfulStatusCode);
}

/**
 * The exact bytes of a session. What the damage or the retention of its log left out is known only at the end, so a
 * trailer tells it: `concert-log`, with the stretch that was served and whether some of it was unreadable.
 */
async function answerLog(c: Context, terminals: TerminalPort): Promise<Response> {
  const from = wholeNumber(c.req.query('from') ?? '0');
  const session = idOf(c);
  const first = Promise.withResolvers<Response>();
  const stream = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: 4 });
  const writer = stream.writable.getWriter();
  let isStarted = false;
  const start = () => {
    if (isStarted) return;
    isStarted = true;
    // Chunks, however short it is: only they can be followed by a trailer.
    const chunked = { 'transfer-encoding': 'chunked', trailer: 'concert-log' };
    const headers = { 'content-type': 'application/octet-stream', ...chunked };
    first.resolve(new Response(stream.readable, { headers }));
  };
  const serving = async () => {
    const result = await terminals.readLog(session, from, async (bytes) => {
      start();
      await writer.write(bytes);
    });
    if (!result.ok && !isStarted) return first.resolve(answerRefusal(c, result));
    start();
    if (result.ok)
      (c.env as { outgoing?: ServerResponse }).outgoing?.addTrailers({ 'concert-log': JSON.stringify(result.value) });
    await writer.close();
  };
  serving().catch(async (error: unknown) => {
    if (!isStarted) return first.reject(error);
    // Whoever asked has left, or now learns that this was not all.
    await writer.abort(error).catch(() => {});
  });
  return first.promise;
}
