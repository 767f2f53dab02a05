import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDocument } from '../../../src/protocol/index.ts';
import { git, makeRepository, TestFleet, untilTrue } from './test-fleet.ts';

const path = process.env['PATH'] ?? '';
let fleet: TestFleet;

beforeAll(async () => {
  fleet = await TestFleet.start({ CONCERT_SLOTS: '200' });
});
afterAll(async () => {
  const { daemon } = await fleet.status();
  expect(daemon.pid).toBe(fleet.pid);
  await fleet[Symbol.asyncDispose]();
});

/** What the program saw of its arguments, byte for byte. */
async function printed(argv: string[], request: object = {}): Promise<string> {
  const session = await fleet.session({ argv, ...request });
  await fleet.until(session, ({ exitCode }) => exitCode !== null);
  return (await fleet.logOf(session)).toString('utf8').replaceAll('\r\n', '\n');
}

describe('git', () => {
  it('refuses a repository without commits, and works in it in place', async () => {
    const repository = fleet.place('empty-repository');
    git(repository, 'init', '-q');
    expect(await fleet.refusedRun({ cwd: repository, inPlace: false, argv: ['true'] })).toMatchObject({
      code: 'git/no-commits',
    });
    await fleet.untilState(await fleet.session({ cwd: repository, argv: ['true'] }), 'done');
  });

  it('leaves uncommitted changes where they are and says so', async () => {
    const repository = makeRepository(join(fleet.folder, 'dirty'));
    writeFileSync(join(repository, 'draft.txt'), 'mine');
    const session = await fleet.session({ cwd: repository, inPlace: false, argv: ['sleep', '1000'] });
    const { notes, worktree } = await fleet.untilLive(session);
    expect(notes.join(' ')).toMatch(/uncommitted|not committed|draft|change/i);
    expect(existsSync(join(worktree ?? '', 'draft.txt'))).toBe(false);
    expect(readFileSync(join(repository, 'draft.txt'), 'utf8')).toBe('mine');
    await fleet.act(session, 'stop');
  });

  it('finds another branch when the wanted one is checked out elsewhere', async () => {
    const repository = makeRepository(join(fleet.folder, 'taken'));
    git(repository, 'worktree', 'add', '-q', '-b', 'concert/fix-login', join(fleet.folder, 'elsewhere'));
    const session = await fleet.session({ cwd: repository, inPlace: false, name: 'fix-login', argv: ['true'] });
    const { branch, state } = await fleet.until(session, ({ state }) => state === 'done' || state === 'failed');
    expect(state).toBe('done');
    expect(branch).toMatch(/^concert\/fix-login-.+/);
  });

  it.each([
    ['spaces, a newline and unicode', 'a  b\nfüße 日本 👩‍💻'],
    ['a leading dash and shell metacharacters', `--upload-pack=touch x 'it"$(touch x)";&|`],
  ])('works in a repository whose path has %s', async (_what, name) => {
    const repository = makeRepository(join(fleet.folder, name));
    const session = await fleet.session({ cwd: repository, inPlace: false, argv: ['git', 'status', '--short'] });
    const { worktree, project } = await fleet.untilState(session, 'done');
    expect(existsSync(join(worktree ?? '', '.git'))).toBe(true);
    expect(project).not.toMatch(/[\p{Cc}]/u);
    await fleet.json('GET', `/v1/sessions/${session}/diff?patch`);
    await fleet.json('DELETE', `/v1/sessions/${session}`, {});
    expect(existsSync(worktree ?? '')).toBe(false);
  });

  it('runs nothing of a hostile repository', async () => {
    const repository = makeRepository(join(fleet.folder, 'hostile'));
    const canary = join(fleet.folder, 'canary');
    const script = join(fleet.folder, 'hook.sh');
    writeFileSync(script, `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    for (const hook of ['post-checkout', 'reference-transaction', 'pre-commit'])
      symlinkSync(script, join(repository, '.git/hooks', hook));
    for (const [key, value] of Object.entries({
      'core.fsmonitor': script,
      'core.hooksPath': join(repository, '.git/hooks'),
      'core.sshCommand': script,
      'diff.external': script,
      'core.pager': script,
    }))
      git(repository, 'config', key, value);
    rmSync(canary, { force: true });
    mkdirSync(join(repository, '.concert'));
    writeFileSync(join(repository, '.concert/project.json'), JSON.stringify({ setup: [`touch ${canary}`] }));
    const session = await fleet.session({ cwd: repository, inPlace: false, argv: ['true'] });
    await fleet.untilState(session, 'done');
    await fleet.json('GET', `/v1/sessions/${session}/diff?patch`);
    await fleet.json('POST', '/v1/trust', { repository, hash: null });
    await fleet.json('DELETE', `/v1/sessions/${session}`, { force: true });
    expect(existsSync(canary)).toBe(false);
  });
});

describe('programs', () => {
  it('works in place outside any repository', async () => {
    expect(await printed(['pwd'], { cwd: fleet.place('plain'), inPlace: false })).toBe(
      `${join(fleet.folder, 'plain')}\n`,
    );
  });

  it.each([
    ['is missing', ['no-such-program'], 'no-such-program'],
    ['is missing by path', ['/nowhere/tool'], '/nowhere/tool'],
    ['is a folder', ['/'], '/'],
  ])('says that a program %s', async (_what, argv, name) => {
    const document = await fleet.untilState(await fleet.session({ argv }), 'failed');
    expect(document.why).toContain(name);
    expect(document.pid).toBe(null);
  });

  it('says that a program is not executable', async () => {
    const program = join(fleet.folder, 'not-executable');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o644);
    const document = await fleet.untilState(await fleet.session({ argv: [program] }), 'failed');
    expect(document.why).toMatch(/execut/i);
  });

  it.each([
    [0, 'done'],
    [3, 'failed'],
    [255, 'failed'],
  ] as const)('keeps all output of a program that ends at once with %i', async (code, state) => {
    const session = await fleet.session({ argv: ['sh', '-c', `printf 'first\\nlast'; exit ${code}`] });
    const document = await fleet.until(session, ({ exitCode }) => exitCode !== null);
    expect(document).toMatchObject({ state, exitCode: code, pid: null });
    expect((await fleet.logOf(session)).toString()).toBe('first\r\nlast');
  });

  it('says which signal ended a program', async () => {
    const session = await fleet.session({ argv: ['sh', '-c', 'kill -9 $$'] });
    expect((await fleet.untilState(session, 'failed')).why).toContain('SIGKILL');
  });

  it('hands on every argument as it is', async () => {
    const argv = [
      '$(touch x)',
      '`id`',
      ';rm -rf .',
      '&& true',
      '*',
      '~',
      '\'"\\',
      '',
      ' ',
      '--',
      '-x',
      'ü\t日本',
      'a\nb',
      '\u202e',
    ];
    const out = await printed([
      process.execPath,
      '-e',
      'console.log(JSON.stringify(process.argv.slice(1)))',
      '--',
      ...argv,
    ]);
    expect(JSON.parse(out.replaceAll('\n', ''))).toEqual(argv);
    expect(readdirSync(fleet.folder)).not.toContain('x');
  });

  it('takes 4,000 arguments, refuses 5,000, 100 KB too many and a NUL byte', async () => {
    const many = Array.from({ length: 4000 }, (_, i) => String(i));
    expect(await printed(['sh', '-c', 'echo $#', 'sh', ...many])).toBe('4000\n');
    expect(await fleet.refusedRun({ argv: Array(5000).fill('x') })).toMatchObject({ code: 'request/invalid' });
    expect(await fleet.refusedRun({ argv: ['echo', 'x'.repeat(99_999)] })).toMatchObject({ code: 'request/too-large' });
    expect(await fleet.refusedRun({ argv: ['echo', 'a\0b'] })).toMatchObject({ code: 'request/invalid' });
    expect(await fleet.refusedRun({ argv: [] })).toMatchObject({ code: 'request/invalid' });
  });

  it('takes an argument of almost 100 KB', async () => {
    expect(await printed(['sh', '-c', 'expr length "$1"', 'sh', 'x'.repeat(99_000)])).toBe('99000\n');
  });

  it('says that the folder is gone when it was deleted while the task waited', async () => {
    await using small = await TestFleet.start({ CONCERT_SLOTS: '1' });
    const first = await small.session({ argv: ['sleep', '1000'] });
    await small.untilLive(first);
    const doomed = small.place('doomed');
    const waiting: RunDocument = await small.run({ cwd: doomed, argv: ['true'] });
    expect(waiting).toMatchObject({ state: 'queued', session: null });
    rmSync(doomed, { recursive: true });
    await small.act(first, 'stop');
    const { sessions } = await small.untilView(({ sessions }) =>
      [...sessions.values()].some(({ state }) => state === 'failed'),
    );
    const failed = [...sessions.values()].find(({ state }) => state === 'failed');
    expect(failed?.why).toContain('doomed');
  });
});

describe('names', () => {
  const hostile = [
    '--upload-pack=touch x',
    '$(touch x)',
    'a\nb',
    '\u001b]0;owned\u0007\u001b[31mred',
    '\u202egnol\u202c',
    '../../etc/passwd',
    'x.lock',
    '@{-1}',
    '<img src=x onerror=alert(1)>',
    '日本語',
    '👩‍💻'.repeat(20),
    '__proto__',
    '\u0000',
  ];

  it('makes harmless names, folders and branches of hostile ones', async () => {
    const repository = makeRepository(join(fleet.folder, 'named'));
    const started = await Promise.all(
      hostile.map(async (name) => ({
        name,
        session: await fleet.session({ cwd: repository, inPlace: false, name, title: name, argv: ['true'] }),
      })),
    );
    for (const { name, session } of started) {
      const document = await fleet.until(session, ({ state }) => state === 'done' || state === 'failed');
      expect(document.state, `${name}: ${document.why}`).toBe('done');
      expect(document.branch).toMatch(/^concert\/[a-z0-9-]+$/);
      expect(document.worktree?.startsWith(join(fleet.home, 'worktrees/'))).toBe(true);
      for (const text of [document.name, document.title, document.why])
        expect(text).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
      expect([...document.name].length).toBeLessThanOrEqual(48);
    }
    expect(readdirSync(fleet.folder)).not.toContain('x');
    expect(readdirSync(repository)).not.toContain('x');
  });

  it('never reads digits as a name, which they are not: they are a tab', async () => {
    expect(await fleet.refusedRun({ name: '12345', argv: ['true'] })).toMatchObject({ code: 'request/invalid' });
    const session = await fleet.session({ title: '12345', argv: ['true'] });
    expect((await fleet.untilState(session, 'done')).name).toBe('session-12345');
    expect(await fleet.refused('POST', `/v1/sessions/${session}/rename`, { name: '777' })).toMatchObject({
      code: 'request/invalid',
    });
    expect(await fleet.refused('POST', `/v1/sessions/${session}/rename`, { name: '\u202e\u0007' })).toMatchObject({
      code: 'request/invalid',
    });
    await fleet.act(session, 'rename', { name: 'x\u001b[2Jy' });
    expect((await fleet.until(session, ({ name }) => name !== 'session-12345')).name).toBe('x [2Jy');
  });

  it('refuses a name of a million characters and one that is taken', async () => {
    expect(await fleet.refusedRun({ name: 'x'.repeat(1_000_000), argv: ['true'] })).toMatchObject({
      code: 'request/invalid',
    });
    await fleet.run({ name: 'only-one', argv: ['true'] });
    expect(await fleet.refusedRun({ name: 'only-one', argv: ['true'] })).toMatchObject({ code: 'session/name-taken' });
  });
});

describe('requests', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['an unknown agent', { agent: 'clippy' }, 'agent/unknown'],
    ['an agent of the prototype', { agent: '__proto__' }, 'agent/unknown'],
    ['an unknown field', { sudo: true }, 'request/invalid'],
    ['a text for a list', { argv: 'true' }, 'request/invalid'],
    ['a number for a folder', { cwd: 7 }, 'request/invalid'],
    ['null for a name', { name: null }, 'request/invalid'],
    ['no columns', { columns: 0 }, 'request/invalid'],
    ['negative rows', { rows: -1 }, 'request/invalid'],
    ['huge columns', { columns: 2 ** 31 }, 'request/invalid'],
    ['half a row', { rows: 24.5 }, 'request/invalid'],
    ['infinite columns', { columns: '1e999' }, 'request/invalid'],
    ['tab 0', { tab: 0 }, 'request/invalid'],
    ['tab 10', { tab: 10 }, 'request/invalid'],
    ['an unknown priority', { priority: 'urgent' }, 'request/invalid'],
    ['a relative folder', { cwd: 'src' }, 'request/invalid'],
    ['a missing folder', { cwd: '/no/such/folder' }, 'request/invalid'],
    ['a file as folder', { cwd: '/etc/passwd' }, 'request/invalid'],
    ['a NUL byte in the folder', { cwd: '/tmp\0/x' }, 'request/invalid'],
    ['a folder name no system takes', { cwd: `/${'x'.repeat(4000)}` }, 'request/invalid'],
    ['a nested environment', { env: { A: { B: 'c' } } }, 'request/invalid'],
    [
      'a worktree outside a repository for an agent',
      { agent: 'demo', inPlace: false, argv: [] },
      'git/not-a-repository',
    ],
  ])('refuses %s', async (_what, request, code) => {
    expect(await fleet.refusedRun({ argv: ['true'], ...request })).toMatchObject({ code });
  });

  it('refuses a folder behind a loop of links', async () => {
    symlinkSync('loop', join(fleet.folder, 'loop'));
    expect(await fleet.refusedRun({ argv: ['true'], cwd: join(fleet.folder, 'loop') })).toMatchObject({
      code: 'request/invalid',
    });
  });

  it('leaves nothing behind of what it refused', async () => {
    const before = (await fleet.sessions()).length;
    const folders = readdirSync(fleet.paths.sessions).length;
    await fleet.run({ name: 'kept', argv: ['true'] });
    await fleet.refusedRun({ name: 'kept', argv: ['true'] });
    await fleet.refusedRun({ argv: ['true'], agent: 'clippy' });
    expect((await fleet.sessions()).length).toBe(before + 1);
    expect(readdirSync(fleet.paths.sessions).length).toBe(folders + 1);
  });

  it('takes an environment as hostile as a caller can make it', async () => {
    const env = {
      PATH: path,
      LANG: 'C.UTF-8',
      LC_ALL: '$(touch x)',
      'BAD=NAME': 'x',
      '': 'empty',
      TERM: 'a\nb',
      LC_NUL: 'a\0b',
      __proto__: 'x',
    };
    const session = await fleet.session({ argv: ['env'], env });
    expect((await fleet.until(session, ({ exitCode }) => exitCode !== null)).exitCode).toBe(0);
    expect((await fleet.logOf(session)).toString()).toContain('LC_ALL=$(touch x)');
  });
});

it('says that git is missing, and still runs commands in place', async () => {
  const tools = TestFleet.prepare();
  const bin = tools.place('bin');
  symlinkSync('/bin/sh', join(bin, 'sh'));
  await tools[Symbol.asyncDispose]();
  await using bare = await TestFleet.start({ PATH: '/nonexistent' });
  const place = bare.place('work');
  expect(await bare.refusedRun({ cwd: place, inPlace: false, agent: 'demo', argv: [] })).toMatchObject({
    code: 'git/missing',
  });
  expect(await bare.refused('POST', '/v1/demo', { action: 'start', env: {} })).toMatchObject({ code: 'git/missing' });
  const session = await bare.session({ cwd: place, argv: ['/bin/echo', 'here'] });
  await bare.untilState(session, 'done');
  const doctor = await bare.json<{ checks: { name: string; ok: boolean }[] }>('GET', '/v1/doctor');
  expect(doctor.checks.find(({ name }) => name === 'git')).toMatchObject({ ok: false });
  await untilTrue('the log is there', async () => (await bare.logOf(session)).toString() === 'here\r\n');
});
