import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createScriptRunner,
  createWorktree,
  inspectRemoval,
  isSafe,
  type ProjectContent,
  type ProjectRunOptions,
  readProjectContent,
  setUpWorktree,
  TrustStore,
  tearDownWorktree,
  type Worktree,
} from '../../../src/git/index.ts';
import { createWorkbench, granted, isRunning, realClock, type Workbench } from './workbench.ts';

let bench: Workbench;
let repo: string;
let trust: TrustStore;
let worktree: Worktree;

beforeEach(() => {
  bench = createWorkbench('project');
  repo = bench.repository();
  trust = new TrustStore(join(bench.root, 'config/trust.json'));
});
afterEach(() => bench[Symbol.dispose]());

/** Commits a project file, and makes a worktree that has it. */
async function project(config: object | string, files: Record<string, string> = {}): Promise<void> {
  bench.write(join(repo, '.concert/project.json'), typeof config === 'string' ? config : JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) bench.write(join(repo, name), text);
  bench.sh(repo, 'add', '--force', '.concert', ...Object.keys(files));
  bench.sh(repo, 'commit', '-q', '-m', 'Project');
  const options = { repo, worktreesDir: bench.worktreesDir, session: 's_aaaa', name: 'fix' };
  worktree = granted(await createWorktree(bench.git, options));
}

const contentOf = async (path = worktree.path) => granted(await readProjectContent(bench.git, path));
const verdict = async (content?: ProjectContent) => await trust.verdict(repo, content ?? (await contentOf()));

async function trustIt(path?: string): Promise<void> {
  const content = await contentOf(path);
  granted(await trust.trust(repo, content, content.hash, 1000));
}

function options(more: Partial<ProjectRunOptions> = {}): ProjectRunOptions {
  return {
    worktree: worktree.path,
    project: repo,
    branch: worktree.branch,
    session: 's_aaaa',
    trust,
    runScript: createScriptRunner(realClock),
    env: bench.env,
    logPath: join(bench.root, 'logs/setup.log'),
    ...more,
  };
}

const setUp = async (more?: Partial<ProjectRunOptions>) => await setUpWorktree(bench.git, options(more));

describe('trust', () => {
  test('is not asked for where nothing would run', async () => {
    await project({});
    rmSync(join(worktree.path, '.concert'), { recursive: true });
    expect(await verdict()).toEqual({ state: 'nothing', programs: [] });
    expect(granted(await setUp())).toEqual({ commands: 0, notes: [] });
  });

  test('belongs to the content: given, lost with a change, back with the old content', async () => {
    await project({ setup: ['sh scripts/setup.sh --fast'] }, { 'scripts/setup.sh': 'true\n', '.concert/more.sh': '' });
    expect((await contentOf()).parts.map(({ name }) => name)).toEqual([
      '.concert/more.sh',
      '.concert/project.json',
      'scripts/setup.sh',
    ]);
    const parts = '".concert/more.sh", ".concert/project.json" and "scripts/setup.sh"';
    expect(await verdict()).toEqual({
      state: 'untrusted',
      programs: [],
      changed: ['.concert/more.sh', '.concert/project.json', 'scripts/setup.sh'],
      message: `Nothing of "${repo}" is run: you have not trusted it yet (${parts})`,
    });
    await trustIt();
    expect(await verdict()).toEqual({ state: 'trusted', programs: [] });

    const script = join(worktree.path, 'scripts/setup.sh');
    bench.write(script, `${bench.canary('changed-script').command}\n`);
    expect(await verdict()).toEqual({
      state: 'untrusted',
      programs: [],
      changed: ['scripts/setup.sh'],
      message: `Nothing of "${repo}" is run: "scripts/setup.sh" changed since you trusted it`,
    });
    expect(await setUp()).toMatchObject({ ok: false, code: 'project/untrusted' });
    expect(bench.canaries()).toEqual([]);
    bench.write(script, 'true\n');
    expect(await verdict()).toEqual({ state: 'trusted', programs: [] });
    granted(await trust.forget(repo));
    expect(await verdict()).toMatchObject({ state: 'untrusted' });
  });

  test('is refused when the content changed while the person looked', async () => {
    await project({ setup: ['true'] });
    const seen = await contentOf();
    bench.write(join(worktree.path, '.concert/project.json'), '{"setup":["false"]}');
    expect(await trust.trust(repo, await contentOf(), seen.hash, 1)).toMatchObject({ code: 'project/untrusted' });
    expect(existsSync(join(bench.root, 'config/trust.json'))).toBe(false);
  });

  test('covers programs of the git configuration, each with the files it names', async () => {
    await project({}, { 'tools/smudge.sh': 'cat\n' });
    rmSync(join(worktree.path, '.concert'), { recursive: true });
    bench.sh(repo, 'config', 'filter.x.smudge', './tools/smudge.sh %f');
    expect((await contentOf()).parts.map(({ name }) => name)).toEqual(['git config filter.x.smudge']);
    await trustIt();
    const programs = [{ key: 'filter.x.smudge', value: './tools/smudge.sh %f' }];
    expect(await verdict()).toEqual({ state: 'trusted', programs });
    bench.sh(repo, 'config', 'filter.y.clean', 'evil');
    expect(await verdict()).toMatchObject({ state: 'untrusted', programs, changed: ['git config filter.y.clean'] });
    bench.write(join(worktree.path, 'tools/smudge.sh'), 'evil\n');
    expect(await verdict()).toMatchObject({ state: 'untrusted', programs: [] });
  });

  test('stays in a private file, whole under many changes at once', async () => {
    await project({ setup: ['true'] });
    const content = await contentOf();
    const names = Array.from({ length: 30 }, (_, index) => `/project/${index}`);
    await Promise.all(names.map(async (name) => granted(await trust.trust(name, content, content.hash, 1))));
    const path = join(bench.root, 'config/trust.json');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(bench.root, 'config'))).toEqual(['trust.json']);
    const reopened = new TrustStore(path);
    for (const name of names) expect(await reopened.verdict(name, content)).toMatchObject({ state: 'trusted' });
  });

  test('remembers twenty contents of a project, the newest', async () => {
    await project({ setup: ['true'] });
    const base = await contentOf();
    for (let index = 0; index < 21; index++) {
      const content = { ...base, hash: `${index}` };
      granted(await trust.trust(repo, content, content.hash, index));
    }
    expect((await verdict({ ...base, hash: '0' })).state).toBe('untrusted');
    expect((await verdict({ ...base, hash: '1' })).state).toBe('trusted');
  });

  test.each([
    ['cut off', (path: string) => truncateSync(path, 30)],
    ['of a newer version', (path: string) => writeFileSync(path, '{"schema":"concert/trust@9","projects":{}}')],
    ['one others may write to', (path: string) => chmodSync(path, 0o666)],
  ])('counts for nothing in a file that is %s, which is set aside and not overwritten', async (_, spoil) => {
    await project({ setup: ['true'] });
    await trustIt();
    const path = join(bench.root, 'config/trust.json');
    spoil(path);
    const spoiled = readFileSync(path, 'utf8');
    expect(await verdict()).toMatchObject({ state: 'untrusted' });
    await trustIt();
    expect(await verdict()).toMatchObject({ state: 'trusted' });
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(spoiled);
  });
});

describe('a project file', () => {
  test.each([
    ['not JSON', '{'],
    ['an unknown key', { setupp: [] }],
    ['an empty command', { setup: [[]] }],
    ['a way out to copy', { copy: ['../secret'] }],
    ['an absolute path to link', { link: ['/etc/passwd'] }],
    ["git's own folder", { copy: ['.git/config'] }],
    ['a variable that is no port', { ports: ['LD_PRELOAD'] }],
    ['too many commands', { setup: Array.from({ length: 33 }, () => 'true') }],
    ['a NUL', { setup: [['a\0b']] }],
  ])('with %s is refused with a sentence', async (_, config) => {
    await project(config);
    expect(await readProjectContent(bench.git, worktree.path)).toMatchObject({ ok: false, code: 'project/invalid' });
    expect(await setUp()).toMatchObject({ ok: false, code: 'project/invalid' });
  });

  test.each([
    [
      'is a link',
      (dir: string) => [rmSync(join(dir, 'project.json')), symlinkSync('/etc/hostname', join(dir, 'project.json'))],
    ],
    ['lies in a linked folder', (dir: string) => [rmSync(dir, { recursive: true }), symlinkSync('/etc', dir)]],
    ['is too large', (dir: string) => truncateSync(join(dir, 'project.json'), 2 * 1024 * 1024)],
    [
      'has too many files beside it',
      (dir: string) => Array.from({ length: 201 }, (_, n) => writeFileSync(join(dir, `${n}`), '')),
    ],
    [
      'names a script that leads out',
      (dir: string) => [
        symlinkSync('/etc/hostname', join(dir, '../s.sh')),
        writeFileSync(join(dir, 'project.json'), '{"setup":["sh ./s.sh"]}'),
      ],
    ],
  ])('that %s is refused', async (_, spoil) => {
    await project({ setup: ['true'] });
    spoil(join(worktree.path, '.concert'));
    expect(await readProjectContent(bench.git, worktree.path)).toMatchObject({ ok: false, code: 'project/invalid' });
  });
});

describe('setup', () => {
  test('runs argv arrays and shell strings in order, with a scrubbed environment and a private log', async () => {
    await project({
      setup: [
        ['node', '-e', 'console.log(JSON.stringify(process.env))'],
        'echo "$PWD" > where; echo done >&2',
        ['echo', '$(touch x)', ';', 'é'],
      ],
      ports: ['PORT', 'API_PORT'],
    });
    await trustIt();
    const env = {
      ...bench.env,
      ANTHROPIC_API_KEY: 'secret',
      GIT_DIR: '/elsewhere',
      LC_TIME: 'C',
      PATH: process.env.PATH,
    };
    expect(granted(await setUp({ env, ports: { PORT: 4001, API_PORT: 4002 } }))).toEqual({ commands: 3, notes: [] });
    expect(readFileSync(join(worktree.path, 'where'), 'utf8')).toBe(`${worktree.path}\n`);
    const log = readFileSync(join(bench.root, 'logs/setup.log'), 'utf8').split('\n');
    expect(statSync(join(bench.root, 'logs/setup.log')).mode & 0o777).toBe(0o600);
    expect(log.slice(2)).toEqual([
      '$ echo "$PWD" > where; echo done >&2',
      'done',
      '$ echo $(touch x) ; é',
      '$(touch x) ; é',
      '',
    ]);
    const seen = JSON.parse(log[1] ?? '') as Record<string, string>;
    expect(Object.keys(seen).sort()).toEqual([
      'API_PORT',
      'CONCERT_BRANCH',
      'CONCERT_PROJECT',
      'CONCERT_SESSION',
      'CONCERT_WORKTREE',
      'HOME',
      'LC_TIME',
      'PATH',
      'PORT',
    ]);
    expect([seen.PORT, seen.CONCERT_BRANCH, seen.CONCERT_PROJECT]).toEqual(['4001', 'concert/fix', repo]);
  });

  test.each([
    [
      ['echo last words; exit 3'],
      'Setup command ("echo last words; exit 3") exited with 3: "last words". The worktree is kept',
    ],
    [
      ['true', [['no-such-program']]].flat(),
      'Setup command 2 of 2 ("no-such-program") could not be started: spawn no-such-program ENOENT. The worktree is kept',
    ],
    [['kill -9 $$'], 'Setup command ("kill -9 $$") was ended by SIGKILL. The worktree is kept'],
  ])('that fails ends with its last words: %j', async (setup, message) => {
    await project({ setup: setup.map((command) => (command === 'no-such-program' ? [command] : command)) });
    await trustIt();
    expect(await setUp()).toEqual({ ok: false, code: 'project/setup-failed', message });
  });

  test('that hangs is ended with all it started', async () => {
    await project({ setup: ['sleep 1000 & echo $! > child; wait'] });
    await trustIt();
    expect(await setUp({ timeoutMs: 300 })).toMatchObject({ code: 'project/setup-failed' });
    const child = Number(readFileSync(join(worktree.path, 'child'), 'utf8'));
    await expect.poll(() => isRunning(child)).toBe(false);
  });

  test('that prints without end fills its log to the bound', async () => {
    await project({ setup: ['yes | head -c 20000000; echo end'] });
    await trustIt();
    granted(await setUp());
    const log = readFileSync(join(bench.root, 'logs/setup.log'), 'utf8');
    expect(log.length).toBeLessThan(4.1 * 1024 * 1024);
    expect(log.endsWith('[output above 4194304 bytes is not kept]\n')).toBe(true);
  });

  test('a teardown changed by the agent does not run', async () => {
    await project({ teardown: ['sh down.sh'] }, { 'down.sh': 'echo fine > "$CONCERT_PROJECT/down"\n' });
    await trustIt();
    expect(granted(await tearDownWorktree(bench.git, options()))).toEqual({ commands: 1, notes: [] });
    expect(readFileSync(join(repo, 'down'), 'utf8')).toBe('fine\n');
    bench.write(join(worktree.path, 'down.sh'), bench.canary('teardown').command);
    expect(await tearDownWorktree(bench.git, options())).toMatchObject({ code: 'project/untrusted' });
    expect(bench.canaries()).toEqual([]);
  });
});

describe('ignored files', () => {
  test('are copied by pattern: content, mode and folders, never over what is there', async () => {
    await project({ copy: ['.env*', 'config/**/*.local', 'data'] }, { '.gitignore': '.env*\n*.local\ndata/\nother\n' });
    const source = bench.write(join(repo, '.env'), 'SECRET=1');
    chmodSync(source, 0o640);
    bench.write(join(repo, '.env.test'), 'T');
    bench.write(join(repo, 'config/a/b/x.local'), new Uint8Array([0, 255]));
    bench.write(join(repo, 'data/deep/file'), '');
    bench.write(join(repo, 'other'), 'not asked for');
    bench.write(join(repo, 'src/not-ignored.txt'), 'untracked');
    bench.write(join(worktree.path, '.env.test'), 'mine');
    await trustIt();
    expect(granted(await setUp())).toEqual({ commands: 0, notes: [] });
    expect(readFileSync(join(worktree.path, '.env'), 'utf8')).toBe('SECRET=1');
    expect(statSync(join(worktree.path, '.env')).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(worktree.path, '.env.test'), 'utf8')).toBe('mine');
    expect(readFileSync(join(worktree.path, 'config/a/b/x.local'))).toEqual(Buffer.from([0, 255]));
    expect(statSync(join(worktree.path, 'data/deep/file')).size).toBe(0);
    expect(existsSync(join(worktree.path, 'other'))).toBe(false);
    expect(granted(await setUp())).toEqual({ commands: 0, notes: [] });
  });

  test('that are links are told and not followed, on either side', async () => {
    await project({ copy: ['local'] }, { '.gitignore': 'local\n' });
    const secret = bench.write(join(bench.root, 'outside/secret'), 'secret');
    mkdirSync(join(repo, 'local'));
    symlinkSync(secret, join(repo, 'local/link'));
    symlinkSync(join(bench.root, 'outside'), join(repo, 'local/folder'));
    bench.write(join(repo, 'local/plain'), 'plain');
    await trustIt();
    expect(granted(await setUp()).notes).toEqual([
      '"local/folder" was not copied: it is a link, no ordinary file, or gone',
      '"local/link" was not copied: it is a link, no ordinary file, or gone',
    ]);
    expect(readdirSync(join(worktree.path, 'local'))).toEqual(['plain']);

    rmSync(join(worktree.path, 'local'), { recursive: true });
    symlinkSync(join(bench.root, 'outside'), join(worktree.path, 'local'));
    expect(granted(await setUp()).notes).toContain(
      '"local/plain" was not copied: a link stands where its folder belongs',
    );
    expect(readdirSync(join(bench.root, 'outside'))).toEqual(['secret']);
  });

  test('beyond the bounds are refused before anything is copied', async () => {
    await project({ copy: ['many', 'large'] }, { '.gitignore': 'many/\nlarge\n' });
    bench.write(join(repo, 'large'), '');
    truncateSync(join(repo, 'large'), 300 * 1024 * 1024);
    await trustIt();
    expect(await setUp()).toMatchObject({ code: 'project/setup-failed' });
    rmSync(join(repo, 'large'));
    const first = bench.write(join(repo, 'many/0'), '');
    for (let index = 1; index <= 2000; index++) linkSync(first, join(repo, `many/${index}`));
    expect(await setUp()).toEqual({
      ok: false,
      code: 'project/setup-failed',
      message: 'The project asks to copy 2001 ignored files, more than 2000; none was copied',
      hint: 'Link the folder instead, or let a setup command make it',
    });
    expect(existsSync(join(worktree.path, 'many'))).toBe(false);
  });

  test('are linked; git ignores the link, and removal does not count it', async () => {
    const link = ['node_modules', 'deep/cache', 'missing', 'out', 'src', 'odd [name]!'];
    await project({ link }, { '.gitignore': 'node_modules/\ncache\nout\nodd*/\n' });
    bench.write(join(repo, 'node_modules/x/index.js'), '1');
    bench.write(join(repo, 'deep/cache'), 'c');
    bench.write(join(repo, 'odd [name]!/x'), 'c');
    symlinkSync('/etc', join(repo, 'out'));
    await trustIt();
    expect(granted(await setUp()).notes).toEqual([
      '"missing" was not linked: it is not in the main worktree',
      '"out" was not linked: it leads out of the repository',
      '"src" was not linked: something stands in its place',
    ]);
    expect(readlinkSync(join(worktree.path, 'node_modules'))).toBe(join(repo, 'node_modules'));
    expect(readFileSync(join(worktree.path, 'deep/cache'), 'utf8')).toBe('c');
    expect(bench.sh(worktree.path, 'status', '--porcelain')).toBe('');
    const removal = { repo, worktreesDir: bench.worktreesDir, path: worktree.path };
    expect(isSafe(granted(await inspectRemoval(bench.git, removal)))).toBe(true);
    const exclude = readFileSync(join(repo, '.git/info/exclude'), 'utf8');
    granted(await setUp());
    expect(readFileSync(join(repo, '.git/info/exclude'), 'utf8')).toBe(exclude);
  });
});
