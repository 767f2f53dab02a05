import { execFile } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createScriptRunner,
  createWorktree,
  diffPatch,
  diffStat,
  type GitProgram,
  inspectRemoval,
  projectSlug,
  readProjectContent,
  readRepository,
  readWorktreeStatus,
  removeWorktree,
  setUpWorktree,
  TrustStore,
} from '../../../src/git/index.ts';
import { createWorkbench, granted, realClock, type Workbench } from './workbench.ts';

let bench: Workbench;
let repo: string;
beforeEach(() => {
  bench = createWorkbench('hostile');
  repo = bench.repository();
});
afterEach(() => bench[Symbol.dispose]());

const hooks = [
  'applypatch-msg',
  'commit-msg',
  'fsmonitor-watchman',
  'post-applypatch',
  'post-checkout',
  'post-commit',
  'post-index-change',
  'post-merge',
  'post-rewrite',
  'pre-applypatch',
  'pre-auto-gc',
  'pre-commit',
  'pre-merge-commit',
  'pre-push',
  'pre-rebase',
  'prepare-commit-msg',
  'reference-transaction',
  'update',
];

function script(name: string, end = 'exec cat'): string {
  // No space: git hands the setting to a shell.
  const file = join(bench.root, 'scripts', name.replace(/[ =]/g, '-'));
  const path = bench.write(file, `#!/bin/sh\n${bench.canary(name).command}\n${end}\n`);
  chmodSync(path, 0o755);
  return path;
}

function plantHooks(folder: string): void {
  for (const name of hooks) {
    const path = bench.write(join(folder, name), `#!/bin/sh\n${bench.canary(`hook ${name}`).command}\n`);
    chmodSync(path, 0o755);
  }
}

function plantConfig(gitDir: string, settings: Record<string, string>, file = 'config'): void {
  for (const [key, value] of Object.entries(settings)) {
    const [section, ...middle] = key.split('.');
    const name = middle.pop();
    const subsection = middle.length === 0 ? '' : ` "${middle.join('.')}"`;
    appendFileSync(join(gitDir, file), `[${section}${subsection}]\n\t${name} = ${JSON.stringify(value)}\n`);
  }
}

function filter(name: string): Record<string, string> {
  return {
    [`filter.${name}.smudge`]: script(`smudge of ${name}`),
    [`filter.${name}.clean`]: script(`clean of ${name}`),
    [`filter.${name}.required`]: 'true',
  };
}

/** A repository as it may come out of an archive: `.git` with everything a program can be named in. */
function plantEverything(): void {
  bench.write(
    join(repo, '.gitattributes'),
    [
      '*.md filter=plain diff=evil merge=evil',
      '*.ts filter=a=b',
      '*.one filter=included',
      '*.two filter=conditional',
      '*.three filter=ofworktree',
      '*.four filter=long',
    ].join('\n'),
  );
  for (const end of ['one', 'two', 'three', 'four']) bench.write(join(repo, `file.${end}`), 'content\n');
  bench.write(join(repo, '.envrc'), bench.canary('envrc').command);
  bench.write(join(repo, '.mcp.json'), JSON.stringify({ mcpServers: { x: { command: script('mcp') } } }));
  bench.write(
    join(repo, '.concert/project.json'),
    JSON.stringify({ setup: [bench.canary('setup').command], copy: ['x'] }),
  );
  bench.write(
    join(repo, '.gitmodules'),
    `[submodule "lib"]\n\tpath = lib\n\turl = ext::sh -c "${bench.canary('ext url').command}"\n\tupdate = none\n`,
  );
  bench.sh(repo, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},lib`);
  bench.sh(repo, 'add', '.');
  bench.sh(repo, 'commit', '-q', '-m', 'Attributes');

  const gitDir = join(repo, '.git');
  plantHooks(join(gitDir, 'hooks'));
  plantConfig(gitDir, {
    'core.fsmonitor': script('fsmonitor'),
    'core.sshCommand': script('ssh'),
    'core.gitProxy': script('proxy'),
    'core.askPass': script('askpass'),
    'core.pager': script('pager'),
    'core.editor': script('editor'),
    'core.alternateRefsCommand': script('alternates'),
    'sequence.editor': script('sequence-editor'),
    'pager.status': script('pager-status'),
    'pager.diff': 'true',
    'diff.external': script('diff-external'),
    'diff.evil.command': script('diff-command'),
    'diff.evil.textconv': script('textconv'),
    'interactive.diffFilter': script('diff-filter'),
    'merge.evil.driver': script('merge-driver'),
    'credential.helper': script('credential'),
    'gpg.program': script('gpg'),
    'commit.gpgSign': 'true',
    'log.showSignature': 'true',
    'alias.status': `!${script('alias')}`,
    'submodule.recurse': 'true',
    'submodule.lib.url': `ext::sh -c "${bench.canary('ext').command}"`,
    'submodule.lib.update': `!${script('submodule-update')}`,
    'protocol.ext.allow': 'always',
    'protocol.allow': 'always',
    'extensions.worktreeConfig': 'true',
    'include.path': 'more-config',
    'includeIf.onbranch:concert/**.path': 'branch-config',
    ...filter('plain'),
    ...filter('a=b'),
    'filter.long.process': script('process'),
  });
  plantConfig(gitDir, { 'filter.included.smudge': script('smudge included') }, 'more-config');
  plantConfig(gitDir, { 'filter.conditional.smudge': script('smudge conditional') }, 'branch-config');
  plantConfig(gitDir, { 'filter.ofworktree.smudge': script('smudge ofworktree') }, 'config.worktree');
}

const create = async (trustedPrograms: GitProgram[] = [], session = 's_aaaa') =>
  granted(
    await createWorktree(bench.git, { repo, worktreesDir: bench.worktreesDir, session, name: 'fix', trustedPrograms }),
  );

/** Everything we do in a repository, in an order as in life. */
async function useEverything(): Promise<void> {
  granted(await readRepository(bench.git, repo));
  bench.write(join(repo, 'readme.md'), 'dirty\n');
  const worktree = await create();
  const { path } = worktree;
  bench.write(join(path, 'readme.md'), 'changed\n');
  bench.write(join(path, 'src/app.ts'), 'changed\n');
  bench.write(join(path, 'new.md'), 'new\n');
  granted(await readWorktreeStatus(bench.git, path));
  granted(await diffStat(bench.git, { worktree: path, base: 'main' }));
  granted(await diffPatch(bench.git, { worktree: path, base: 'main' }, () => {}));
  granted(await readProjectContent(bench.git, path));
  const set = await setUpWorktree(bench.git, {
    worktree: path,
    project: repo,
    branch: worktree.branch,
    session: 's_aaaa',
    trust: new TrustStore(join(bench.root, 'trust.json')),
    runScript: createScriptRunner(realClock),
    env: bench.env,
    logPath: join(bench.root, 'log'),
  });
  expect(set).toMatchObject({ ok: false, code: 'project/untrusted' });
  rmSync(path, { recursive: true });
  expect((await create()).outcome).toBe('repaired');
  bench.write(join(path, 'new.md'), 'new\n');
  const removal = { repo, worktreesDir: bench.worktreesDir, path, at: 1 };
  granted(await inspectRemoval(bench.git, removal));
  expect(granted(await removeWorktree(bench.git, { ...removal, force: true })).backupRef).not.toBe(null);
}

test('the traps are live: an ordinary git falls into them', () => {
  plantEverything();
  const files = ['readme.md', 'src/app.ts', 'file.one', 'file.two', 'file.three', 'file.four'];
  for (const file of files) rmSync(join(repo, file));
  const onBranch = ['symbolic-ref', 'HEAD', 'refs/heads/concert/x'];
  // A monitor that reports no change would hide the missing files, and a submodule that is not there stops a checkout.
  const single = files.map((file) => [
    '-c',
    'core.fsmonitor=false',
    '-c',
    'submodule.recurse=false',
    'checkout',
    'main',
    '--',
    file,
  ]);
  const diff = ['-c', 'core.fsmonitor=false', 'diff', 'main~1'];
  for (const args of [onBranch, ...single, diff, ['checkout', '-q', '--detach', 'main']])
    try {
      bench.sh(repo, ...args);
    } catch {
      // Some fail once their program ran, which is all this is to show.
    }
  expect(bench.canaries()).toEqual(
    expect.arrayContaining([
      'diff-external',
      'fsmonitor',
      'hook post-checkout',
      'hook post-index-change',
      'hook reference-transaction',
      'process',
      'smudge conditional',
      'smudge included',
      'smudge of a=b',
      'smudge of plain',
      'smudge ofworktree',
    ]),
  );
});

test('nothing a repository names is run, from facts to removal', async () => {
  plantEverything();
  await useEverything();
  expect(bench.canaries()).toEqual([]);
});

test('the files come out as they are stored, and a note says what was not run', async () => {
  plantEverything();
  const { notes } = await create();
  expect(notes.at(-1)).toContain('were not run, because the project is not trusted');
  expect(notes.at(-1)).toContain('"filter.');
});

test('hooks in a folder the configuration names, linked configuration, and .git as a file elsewhere', async () => {
  plantHooks(join(bench.root, 'hooks'));
  bench.sh(repo, 'config', 'core.hooksPath', join(bench.root, 'hooks'));
  const elsewhere = join(bench.root, 'elsewhere');
  bench.sh(bench.root, 'init', '-q', '--separate-git-dir', elsewhere, repo);
  bench.write(join(repo, '.gitattributes'), '*.md filter=linked\n');
  bench.sh(repo, 'add', '.');
  bench.sh(repo, '-c', 'core.hooksPath=/dev/null', 'commit', '-q', '-m', 'A');
  const stored = bench.write(join(bench.root, 'stored-config'), '');
  bench.sh(repo, 'config', '--file', stored, 'filter.linked.smudge', script('linked'));
  bench.sh(repo, 'config', '--file', join(bench.root, 'other'), 'include.path', 'stored-config');
  symlinkSync(join(bench.root, 'other'), join(elsewhere, 'linked-config'));
  bench.sh(repo, 'config', 'include.path', 'linked-config');
  rmSync(join(bench.root, 'canaries'), { recursive: true });
  mkdirSync(join(bench.root, 'canaries'));
  bench.write(join(repo, '.concert/project.json'), '{"setup":["true"]}');
  bench.sh(repo, '-c', 'core.hooksPath=/dev/null', 'add', '.concert');
  bench.sh(repo, '-c', 'core.hooksPath=/dev/null', 'commit', '-q', '-m', 'B');
  rmSync(join(bench.root, 'canaries'), { recursive: true });
  mkdirSync(join(bench.root, 'canaries'));
  await useEverything();
  expect(bench.canaries()).toEqual([]);
});

describe('a partial clone that lacks its objects', () => {
  test.each([
    ['by an ext url', { 'remote.origin.url': 'ext::SCRIPT' }],
    ['by a program at the other end of a path', { 'remote.origin.url': 'REPO', 'remote.origin.uploadpack': 'SCRIPT' }],
    ['by ssh', { 'remote.origin.url': 'ssh://nowhere.invalid/x', 'core.sshCommand': 'SCRIPT' }],
    ['by a helper', { 'remote.origin.url': 'SCRIPT', 'remote.origin.vcs': 'ext' }],
    ['by http with a credential helper', { 'remote.origin.url': 'SERVER', 'credential.helper': 'SCRIPT' }],
    [
      'by http with a credential helper for one place',
      { 'remote.origin.url': 'SERVER', 'credential.SERVER.helper': 'SCRIPT' },
    ],
  ])('runs nothing %s', async (_, settings) => {
    await using server = await askingServer();
    const fill = (text: string) =>
      text.replace('SCRIPT', script('fetch', 'exit 1')).replace('REPO', repo).replace('SERVER', server.url);
    plantConfig(join(repo, '.git'), {
      'core.repositoryFormatVersion': '1',
      'extensions.partialClone': 'origin',
      'remote.origin.promisor': 'true',
      'remote.origin.fetch': '+refs/heads/*:refs/remotes/origin/*',
      'protocol.ext.allow': 'always',
      'protocol.file.allow': 'always',
      ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [fill(key), fill(value)])),
    });
    const blob = bench.sh(repo, 'rev-parse', 'HEAD:readme.md').trim();
    const head = bench.sh(repo, 'rev-parse', 'HEAD').trim();
    rmSync(join(repo, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    await expect(create()).rejects.toThrow();
    const commit = join(repo, '.git/objects', head.slice(0, 2), head.slice(2));
    renameSync(commit, `${commit}.away`);
    expect(await readRepository(bench.git, repo)).toMatchObject({ value: { head: null } });
    expect(bench.canaries()).toEqual([]);
    expect(readdirSync(join(bench.worktreesDir, projectSlug(repo), '.claims'))).toEqual([]);

    const ordinary = promisify(execFile)('git', ['cat-file', '-p', blob], {
      cwd: repo,
      env: { ...bench.env, GIT_TERMINAL_PROMPT: '0' },
    });
    await expect(ordinary).rejects.toThrow();
    expect(bench.canaries()).toEqual(['fetch']);
  });
});

/** A web server that wants to know who asks. */
async function askingServer(): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((_, response) =>
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a submodule and a clone inside a worktree are looked into without running what they name', async () => {
  const lib = bench.repository('lib');
  bench.write(join(lib, '.gitattributes'), '* filter=plain diff=evil\n');
  bench.sh(lib, 'add', '.');
  bench.sh(lib, 'commit', '-q', '-m', 'Attributes');
  const { path } = await create();
  bench.sh(path, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib, 'lib');
  bench.sh(path, 'commit', '-q', '-m', 'Submodule');
  bench.sh(path, 'clone', '-q', lib, 'clone');
  for (const inner of ['lib', 'clone']) {
    const gitDir = bench.sh(join(path, inner), 'rev-parse', '--absolute-git-dir').trim();
    plantHooks(join(gitDir, 'hooks'));
    plantConfig(gitDir, { 'core.fsmonitor': script('inner fsmonitor'), ...filter('plain') });
    appendFileSync(join(path, inner, 'readme.md'), 'x');
  }
  granted(await readWorktreeStatus(bench.git, path));
  granted(await diffStat(bench.git, { worktree: path, base: 'main' }));
  granted(await diffPatch(bench.git, { worktree: path, base: 'main' }, () => {}));
  const removal = { repo, worktreesDir: bench.worktreesDir, path, at: 1, force: true };
  const evidence = granted(await inspectRemoval(bench.git, removal));
  expect(evidence.nested.map((work) => work.path)).toEqual(['clone', 'lib']);
  expect(await removeWorktree(bench.git, removal)).toMatchObject({ code: 'git/unsafe-removal' });
  expect(bench.canaries()).toEqual([]);
});

test('a worktree whose .git was led to another repository is refused', async () => {
  const { path } = await create();
  plantConfig(join(bench.repository('evil'), '.git'), { 'core.fsmonitor': script('fsmonitor') });
  bench.write(join(path, '.git'), `gitdir: ${join(bench.root, 'evil/.git')}\n`);
  const removal = { repo, worktreesDir: bench.worktreesDir, path, at: 1, force: true };
  expect(await removeWorktree(bench.git, removal)).toMatchObject({ code: 'git/unsafe-removal' });
  expect(
    await createWorktree(bench.git, { repo, worktreesDir: bench.worktreesDir, session: 's_aaaa', name: 'fix' }),
  ).toMatchObject({ code: 'git/failed' });
  expect(bench.canaries()).toEqual([]);
});

test('files that are said to lie elsewhere are not looked for there', async () => {
  bench.sh(repo, 'config', 'core.worktree', bench.env.HOME ?? '');
  expect(await readRepository(bench.git, repo)).toMatchObject({ ok: false, code: 'git/not-a-repository' });
});

describe('trusted programs', () => {
  beforeEach(() => {
    bench.write(join(repo, '.gitattributes'), '*.md filter=mine\n');
    bench.sh(repo, 'add', '.');
    bench.sh(repo, 'commit', '-q', '-m', 'Attributes');
  });

  test('run, as long as key and value are what was trusted', async () => {
    const mine = { key: 'filter.mine.smudge', value: script('mine') };
    plantConfig(join(repo, '.git'), { [mine.key]: mine.value });
    await create([mine]);
    expect(bench.canaries()).toEqual(['mine']);
    plantConfig(join(repo, '.git'), { [mine.key]: script('swapped') });
    await create([mine], 's_bbbb');
    expect(bench.canaries()).toEqual(['mine']);
  });

  test('of the own global configuration run always, also where the repository has another', async () => {
    bench.sh(repo, 'config', '--global', 'filter.mine.smudge', script('global'));
    plantConfig(join(repo, '.git'), { 'filter.mine.smudge': script('local') });
    await create();
    expect(bench.canaries()).toEqual(['global']);
  });
});
