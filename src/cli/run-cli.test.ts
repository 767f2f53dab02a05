import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { Concert } from '../../test/support/concert.ts';
import { hostOf, queuedOf, sessionOf } from '../../test/support/documents.ts';
import { ScriptedFleet } from '../../test/support/scripted-fleet.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { refuse } from '../base/index.ts';
import {
  AgentsDocument,
  DiffDocument,
  DoctorDocument,
  DoneDocument,
  ErrorDocument,
  EventDocument,
  EventsDocument,
  ExplainDocument,
  RunDocument,
  SessionsDocument,
  ShowDocument,
  StatusDocument,
  TrustDocument,
} from '../protocol/index.ts';
import { laterVerbs } from './verbs.ts';

let stack: AsyncDisposableStack;
let fleet: ScriptedFleet;
let concert: Concert;

const login = sessionOf({ id: 's_7k2mabcd', name: 'fix-login', tab: 3, state: 'review' });
const cart = sessionOf({ id: 's_p4wqabcd', name: 'cart', state: 'working', project: 'web-store' });
const icons = queuedOf({ task: 't_31abcdef', title: 'icons' });

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  concert = new Concert(folder.path);
  fleet = new ScriptedFleet();
  fleet.sessions = [login, cart];
  fleet.queued = [icons];
  fleet.log.set(login.id, Buffer.from('one\r\n\u001b[31mtwo\u001b[0m\r\n'));
  fleet.journal = [
    {
      seq: 1,
      at: '2026-11-22T10:00:00.000Z',
      type: 'session.created',
      session: login.id,
      data: { session: login.id, name: 'fix-login', tab: 3 },
    },
    { seq: 2, at: '2026-11-22T10:01:00.000Z', type: 'session.killed', session: cart.id, data: { session: cart.id } },
  ];
  stack.use(await fleet.serve(concert.home.socket));
});

afterEach(async () => {
  await stack.disposeAsync();
});

describe('every document is what its schema says', () => {
  const cases: [string[], z.ZodType][] = [
    [['status'], StatusDocument],
    [['up'], StatusDocument],
    [['ls'], SessionsDocument],
    [['ls', '--state', 'review', '--repo', 'shop-api'], SessionsDocument],
    [[], SessionsDocument],
    [['show', '3'], ShowDocument],
    [['show', 'cart', '--screen'], ShowDocument],
    [['explain', '3'], ExplainDocument],
    [['diff', '3'], DiffDocument],
    [['events'], EventsDocument],
    [['log', '--auto'], EventsDocument],
    [['doctor'], DoctorDocument],
    [['agents'], AgentsDocument],
    [['trust', '.'], TrustDocument],
    [['run', 'do it', '-a', 'demo'], RunDocument],
    [['wait', '3'], ShowDocument],
    [['send', '3', 'go on'], DoneDocument],
    [['keys', '3', '^C'], DoneDocument],
    [['pause', 'cart'], DoneDocument],
    [['rename', '3', 'other'], DoneDocument],
    [['tab', '5', 'cart'], DoneDocument],
    [['tab', 'clear', '3'], DoneDocument],
    [['demo', 'stop'], DoneDocument],
    [['service', 'status'], DoneDocument],
  ];
  test.each(cases)('concert %j', async (argv, schema) => {
    const { exit, out, err } = await concert.run(...argv, '--json');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out.endsWith('\n') && out.split('\n').length === 2).toBe(true);
    const document: unknown = JSON.parse(out);
    expect(schema.parse(document)).toEqual(document);
  });

  test('--json may stand before the verb', async () => {
    expect(await concert.run('--json', 'ls')).toEqual(await concert.run('ls', '--json'));
  });

  test('a document cannot act in a terminal', async () => {
    fleet.sessions = [sessionOf({ id: 's_x', name: '\u009b31m\u202e' })];
    const { out } = await concert.run('ls', '--json');
    expect(out).not.toMatch(/[\u0080-\u009f\u202e]/);
    expect(SessionsDocument.parse(JSON.parse(out)).items).toEqual(fleet.sessions);
  });
});

describe('refusals', () => {
  test.each<[string[], number, string]>([
    [['show', 'nobody'], 3, 'session/not-found'],
    [['show', 's_'], 2, 'session/ambiguous'],
    [['show', 'icons'], 3, 'session/not-found'],
    [['show'], 2, 'request/invalid'],
    [['show', '3', '--screan'], 2, 'request/invalid'],
    [['shwo', '3'], 2, 'request/invalid'],
    [['ls', '--state', 'happy'], 2, 'request/invalid'],
    [['tab', '12', 'cart'], 2, 'request/invalid'],
    [['tab', 'clear', '8'], 3, 'session/not-found'],
    [['wait', '3', '--for', 'queued'], 2, 'request/invalid'],
    [['wait', '3', '--timeout', 'soon'], 2, 'request/invalid'],
    [['logs', '3', '--from', '-1'], 2, 'request/invalid'],
    [['keys', '3', '\\q'], 2, 'request/invalid'],
    [['send', '3', ''], 2, 'request/invalid'],
    [['run'], 2, 'request/invalid'],
    [['run', 'two', 'tasks'], 2, 'request/invalid'],
    [['run', 'x', '-r', '/no/such/folder'], 2, 'request/invalid'],
    [['run', 'x', '-p', 'soon'], 2, 'request/invalid'],
    [['run', 'x', '--attach'], 2, 'request/invalid'],
    [['run', 'x', '--deadline', '5pm'], 2, 'request/not-built-yet'],
    [['run', 'x', '-n', '3'], 2, 'request/not-built-yet'],
    [['up', '--port', '80'], 2, 'request/not-built-yet'],
    [['ls', '--host', 'tower'], 2, 'request/not-built-yet'],
    [['attach', '3'], 2, 'request/invalid'],
    [['attach', 'cart', '--view', '--follow'], 2, 'request/invalid'],
    [['pause'], 2, 'request/invalid'],
    [['pause', '3', '--all'], 2, 'request/invalid'],
    [['rm', '--all'], 2, 'request/invalid'],
    [['pause', 'icons'], 3, 'session/not-found'],
    [['service', 'restart'], 2, 'request/invalid'],
    [['completion', 'tcsh'], 2, 'request/invalid'],
    [['demo', 'again'], 2, 'request/invalid'],
    [['trust', '--yes'], 2, 'request/invalid'],
    [['doctor', '--repair'], 1, 'daemon/already-running'],
  ])('concert %j exits %i with %s', async (argv, exit, code) => {
    const ran = await concert.run('--json', ...argv);
    expect({ exit: ran.exit, out: ran.out }).toEqual({ exit, out: '' });
    expect(ErrorDocument.parse(JSON.parse(ran.err)).code).toBe(code);
    const plain = await concert.run(...argv);
    expect(plain.exit).toBe(exit);
    expect(plain.err).toMatch(/^[A-Z"-].*[.!?:]\nNext: .+\n$/s);
  });

  test('verbs of later versions say so and do nothing', async () => {
    for (const verb of laterVerbs) {
      const { exit, err } = await concert.run(verb, 'x');
      expect({ exit, err }).toMatchObject({
        exit: 2,
        err: expect.stringContaining(`concert ${verb} is not built yet`),
      });
    }
    expect(fleet.calls).toEqual([]);
  });

  test('what the daemon refuses keeps its code, hint and exit code', async () => {
    fleet.answers.act = () =>
      refuse('session/not-driver', 'Cannot type: the phone drives it', 'concert attach 3 --take');
    const { exit, err } = await concert.run('keys', '3', 'x');
    expect({ exit, err }).toEqual({
      exit: 7,
      err: 'Cannot type: the phone drives it.\nNext: concert attach 3 --take\n',
    });
  });

  test('a text that begins with a dash needs --', async () => {
    expect((await concert.run('send', '3', '- do it')).err).toContain('Put -- before');
    expect((await concert.run('send', '3', '--', '- do it')).exit).toBe(0);
    expect(fleet.calls).toEqual([['act', login.id, { type: 'send', text: '- do it', now: false }]]);
  });
});

describe('what is asked of the daemon', () => {
  test('run passes the caller, what follows -- as a command line, and no size without a terminal', async () => {
    concert.env['SECRET'] = 's';
    const { out } = await concert.run(
      'run',
      '--in-place',
      '--name',
      'build',
      '--no-tab',
      '-p',
      'now',
      '--',
      'make',
      '-j',
      '--json',
    );
    expect(out).toBe('Started build (s_newnewnew) on tab 4, starting. Next: concert attach 4\n');
    expect(fleet.calls).toEqual([
      [
        'startTask',
        {
          prompt: '',
          argv: ['make', '-j', '--json'],
          agent: 'generic',
          cwd: concert.folder,
          inPlace: true,
          name: 'build',
          tab: null,
          priority: 'now',
          env: concert.env,
          columns: 120,
          rows: 40,
        },
      ],
    ]);
  });

  test('a task may come from standard input', async () => {
    concert.input = 'a long\nprompt';
    await concert.run('run', '-', '-a', 'demo', '--tab', '7');
    expect(fleet.calls).toMatchObject([['startTask', { prompt: 'a long\nprompt', agent: 'demo', tab: 7 }]]);
  });

  test('a task without a slot says what it needs', async () => {
    fleet.answers.startTask = () => ({
      ok: true,
      value: {
        schema: 'concert/run@1',
        task: 't_31',
        session: null,
        state: 'queued',
        name: null,
        tab: null,
        needs: 'a free slot',
      },
    });
    expect((await concert.run('run', 'x', '-a', 'demo')).out).toBe('Queued as t_31: it needs a free slot\n');
  });

  test('send takes many ids and the text last', async () => {
    await concert.run('send', '3', 'cart', 'go on', '--now');
    expect(fleet.calls).toEqual([
      ['act', login.id, { type: 'send', text: 'go on', now: true }],
      ['act', cart.id, { type: 'send', text: 'go on', now: true }],
    ]);
  });

  test('keys are bytes', async () => {
    await concert.run('keys', '3', '^C', '\\x1b[A', 'é');
    expect(fleet.calls).toEqual([['act', login.id, { type: 'keys', bytes: Buffer.from('\u0003\u001b[Aé') }]]);
  });

  test('bulk verbs mean what can be done, by name, --all or --repo', async () => {
    fleet.sessions = [
      login,
      cart,
      sessionOf({
        id: 's_gone',
        name: 'gone',
        state: 'asleep',
        canResume: true,
        liveness: { holder: 'gone', process: 'gone', host: 'alive' },
      }),
    ];
    const { out, err } = await concert.run('stop', '--all');
    expect(fleet.calls.splice(0)).toEqual([
      ['act', login.id, { type: 'stop' }],
      ['act', cart.id, { type: 'stop' }],
    ]);
    expect({ out, err }).toEqual({ out: 'Did stop.\nDid stop.\n', err: 'Turns that were cut: cart\n' });
    await concert.run('resume', '--all');
    expect(fleet.calls.splice(0)).toEqual([['act', 's_gone', { type: 'resume', env: concert.env }]]);
    await concert.run('pause', '--repo', 'web-store');
    expect(fleet.calls.splice(0)).toEqual([['act', cart.id, { type: 'pause' }]]);
    await concert.run('done', '--all');
    expect(fleet.calls.splice(0)).toEqual([['act', login.id, { type: 'settle' }]]);
  });

  test('one that is refused does not keep the others from being done', async () => {
    fleet.answers.act = ((session: string) =>
      session === cart.id
        ? refuse('session/not-live', 'It has no process')
        : { ok: true, value: { schema: 'concert/done@1', session, message: 'Paused' } }) as never;
    expect(await concert.run('pause', '3', 'cart')).toEqual({
      exit: 1,
      out: 'Paused.\n',
      err: 'It has no process.\nNext: concert resume <id>\n',
    });
  });

  test('rm takes queued tasks too, and asks before it loses anything', async () => {
    await concert.run('rm', 'cart', 't_31');
    await concert.run('rm', '3', '--force', '--yes');
    expect(fleet.calls.splice(0)).toEqual([
      ['act', cart.id, { type: 'remove', force: false }],
      ['removeTask', 't_31abcdef'],
      ['act', login.id, { type: 'remove', force: true }],
    ]);
  });

  test('trust shows what it would allow, and a yes names it', async () => {
    const asked = await concert.run('trust', 'repo');
    expect(asked).toMatchObject({ exit: 7, out: expect.stringContaining('setup: npm ci') });
    expect(asked.err).toContain('concert trust repo --yes --hash h4sh');
    await concert.run('trust', 'repo', '--yes', '--hash', 'h4sh');
    const repository = `${concert.folder}/repo`;
    expect(fleet.calls).toEqual([
      ['trust', repository, null],
      ['trust', repository, 'h4sh'],
    ]);
  });
});

describe('what people read', () => {
  test('the list is the answer to no verb at all', async () => {
    const { out } = await concert.run();
    expect(out).toMatch(/^1 waiting on you \(oldest .*\), 1 working, 1 queued, 11 of 12 slots\n/);
    expect(out).toContain('fix-login');
    expect(await concert.run('ls')).toMatchObject({ exit: 0 });
  });

  test('a filter says what it hides', async () => {
    expect((await concert.run('ls', '--state', 'review')).out).toContain('2 hidden by --state or --repo');
  });

  test('lost sessions stay in the list until they are dealt with', async () => {
    const recovery = {
      adopted: [cart.id],
      ended: [],
      relaunched: [],
      strangers: [],
      lost: [{ session: login.id, cause: 'reboot', canResume: true, wasCut: true }],
    };
    fleet.host = hostOf({ recovery });
    fleet.sessions = [sessionOf({ ...login, state: 'lost' }), cart];
    expect((await concert.run('ls')).out).toContain('Lost: fix-login (the machine was restarted; its turn was cut');
    fleet.sessions = [login, cart];
    expect((await concert.run('ls')).out).not.toContain('Lost:');
    expect((await concert.run('status')).out).toContain('Kept running: cart');
  });

  test('the screen and the diff are safe to look at', async () => {
    expect((await concert.run('show', '3', '--screen')).out).toBe('$ make\nok [2J\n\n');
    concert.columns = 80;
    concert.env['NO_COLOR'] = '1';
    expect((await concert.run('diff', '3')).out).toBe('--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1 +1 @@\n-old[2J\n+new\n');
    concert.columns = null;
    expect((await concert.run('diff', '3')).out).toContain('-old\u001b[2J\n');
    expect((await concert.run('diff', '3', '--stat')).out).toBe(
      '  src/a.ts  modified   +4 -2\n  logo.png  added      binary\n2 files, +4 -2\n',
    );
  });

  test('a log is text for people and bytes for --raw', async () => {
    expect((await concert.run('logs', '3')).out).toBe('one\ntwo\n');
    expect((await concert.run('logs', '3', '--raw', '--from', '5')).out).toBe('\u001b[31mtwo\u001b[0m\r\n');
    concert.columns = 80;
    expect(await concert.run('logs', '3', '--raw')).toMatchObject({ exit: 2, out: '' });
    expect(await concert.run('logs', '3', '--json')).toMatchObject({ exit: 2, out: '' });
  });

  test('help is generated for all and for each', async () => {
    const { exit, out } = await concert.run('--help');
    expect(exit).toBe(0);
    for (const verb of ['up', 'attach', 'wait', 'completion']) expect(out).toContain(`\n  ${verb}`);
    expect(out).not.toContain('quickstart');
    expect((await concert.run('help', 'run')).out).toBe((await concert.run('run', '--help')).out);
    expect((await concert.run('run', '--help')).out).toMatch(/^Usage: concert run .*--in-place/s);
    expect((await concert.run('--version')).out).toBe('concert 0.1.0\n');
  });

  test('completion knows verbs and offers ids without starting anything', async () => {
    for (const shell of ['bash', 'zsh', 'fish'])
      expect((await concert.run('completion', shell)).out).toContain('concert ids');
    expect((await concert.run('ids')).out.split('\n')).toEqual(['fix-login', '3', 'cart', '']);
  });

  test('quickstart does not start a demo beside real sessions', async () => {
    const { exit, out } = await concert.run('quickstart');
    expect({ exit, calls: fleet.calls }).toEqual({ exit: 0, calls: [] });
    expect(out).toContain('fix-login');
    fleet.sessions = [];
    fleet.queued = [];
    await concert.run('quickstart');
    expect(fleet.calls).toEqual([['demo', 'start', concert.env]]);
  });
});

describe('waiting', () => {
  test('ends when the state comes', async () => {
    const waiting = concert.run('wait', 'cart', '--for', 'review');
    while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
    fleet.put(sessionOf({ ...cart, why: 'still at it' }));
    fleet.put(sessionOf({ ...cart, state: 'review', why: 'all done' }));
    expect(await waiting).toEqual({ exit: 0, out: '■ cart is review: all done\n', err: '' });
  });

  test('exits 5 when it needs you instead, 1 when it can never come', async () => {
    const waiting = concert.run('wait', 'cart', '--for', 'review');
    while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
    fleet.put(sessionOf({ ...cart, state: 'blocked', why: 'may I?' }));
    expect(await waiting).toMatchObject({ exit: 5, out: '◆ cart is blocked: may I?\n' });
    fleet.put(sessionOf({ ...cart, state: 'lost' }));
    expect(await concert.run('wait', 'cart', '--for', 'review')).toMatchObject({ exit: 1 });
  });

  test('exits 124 when its time is over', async () => {
    const { exit, err } = await concert.run('wait', 'cart', '--for', 'review', '--timeout', '20ms', '--json');
    expect(exit).toBe(124);
    expect(JSON.parse(err)).toMatchObject({ code: 'wait/timeout' });
  });

  test('a queued task is waited for by its id', async () => {
    const waiting = concert.run('wait', 't_31', '--for', 'working');
    while (fleet.streams === 0) await new Promise((resolve) => setImmediate(resolve));
    fleet.put(sessionOf({ id: 's_icons', name: 'icons', task: icons.task, state: 'working' }));
    expect(await waiting).toMatchObject({ exit: 0 });
  });
});

test('events are followed without a gap, one document a line', async () => {
  const out: string[] = [];
  const { runCli } = await import('./index.ts');
  const invocation = concert.invocation(out);
  const following = runCli({ ...invocation, argv: ['events', '--follow', '--json', '--since', '1'] });
  while (out.length < 1) await new Promise((resolve) => setImmediate(resolve));
  fleet.emit({ seq: 3, at: '2026-11-22T10:02:00.000Z', type: 'session.killed', session: cart.id, data: {} });
  while (out.length < 2) await new Promise((resolve) => setImmediate(resolve));
  concert.interrupt.resolve();
  expect(await following).toBe(130);
  expect(out.map((line) => EventDocument.parse(JSON.parse(line)).seq)).toEqual([2, 3]);
});
