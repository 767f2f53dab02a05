import { describe, expect, it } from 'vitest';
import { treeChecks } from './all.ts';
import { importTable } from './import-table.ts';
import { soundTree } from './sound-tree.ts';
import { type Finding, folderOf } from './source-tree.ts';

function runAll(tree: Map<string, string>): (Finding & { check: string })[] {
  return Object.entries(treeChecks).flatMap(([name, check]) => check(tree).map((found) => ({ check: name, ...found })));
}

/** Puts a text at a path (after what stands there already) and gives what the checks say. */
function plant(path: string, text: string) {
  const tree = soundTree();
  tree.set(path, `${tree.get(path) ?? ''}${text}`);
  return runAll(tree);
}

/** Line that a text planted at a path begins on. */
function plantedLine(path: string): number {
  return (soundTree().get(path) ?? '').split('\n').length;
}

/** Plants a change of a JSON file. */
function plantIn<T>(path: string, change: (content: T) => void) {
  const tree = soundTree();
  const content = JSON.parse(tree.get(path) ?? '') as T;
  change(content);
  tree.set(path, JSON.stringify(content));
  return runAll(tree);
}

it('finds nothing wrong in a sound tree, which has every folder', () => {
  const tree = soundTree();
  expect(runAll(tree)).toEqual([]);
  expect(new Set([...tree.keys()].map(folderOf))).toEqual(new Set([undefined, ...Object.keys(importTable)]));
});

describe('import table', () => {
  it.each([
    ['upward', 'src/fleet/index.ts', "import '../daemon/index.ts';", '"fleet" may not import "daemon"'],
    ['sideways', 'src/store/index.ts', "import '../git/index.ts';", '"store" may not import "git"'],
    ['by type', 'src/base/index.ts', "import type { X } from '../fleet/index.ts';", '"base" may not import "fleet"'],
    ['lazily', 'src/cli/index.ts', "await import('../daemon/index.ts');", '"cli" may not import "daemon"'],
    ['by re-export', 'src/git/index.ts', "export * from '../store/index.ts';", '"git" may not import "store"'],
    [
      'past an index',
      'src/daemon/index.ts',
      "import '../git/run-git.ts';",
      'Import "git" through src/git/index.ts, not "src/git/run-git.ts"',
    ],
    ['a package', 'src/git/index.ts', "import 'ws';", '"git" may not import the package "ws"'],
    ['a scoped package', 'src/cli/index.ts', "import '@hono/x';", '"cli" may not import the package "@hono/x"'],
    ['Node in the heart', 'src/fleet/index.ts', "import 'node:fs';", '"fleet" may not import "node:fs": it is pure'],
    ['vitest in the product', 'src/store/index.ts', "import 'vitest';", '"store" may not import the package "vitest"'],
    [
      'eagerly what is lazy',
      'src/main.ts',
      "import './sim/index.ts';",
      '"sim" may only be imported lazily, by import()',
    ],
    [
      'test code',
      'src/store/index.ts',
      "import '../../test/support/index.ts';",
      '"store" may not import "test/support/index.ts": it lies outside the folders of src',
    ],
  ])('refuses to reach %s', (_, path, text, message) => {
    expect(plant(path, text)).toContainEqual({ check: 'import table', path, line: plantedLine(path), message });
  });

  it('keeps agents apart', () => {
    const tree = soundTree();
    tree.set('src/agents/index.ts', `${tree.get('src/agents/index.ts')}import './codex/index.ts';\n`);
    tree.set('src/agents/codex/index.ts', "import '../claude/index.ts';\nimport '../agent.ts';\n");
    tree.set('src/agents/claude/index.ts', '');
    tree.set('src/agents/agent.ts', '');
    expect(runAll(tree)).toEqual([
      {
        check: 'import table',
        path: 'src/agents/codex/index.ts',
        line: 1,
        message: 'Agent "codex" may not import agent "claude"',
      },
    ]);
  });

  it('knows no folder without a row', () => {
    const checks = plant('src/extras/index.ts', '/** Must never be. */\n').map(({ check, path }) => ({ check, path }));
    expect(checks).toEqual([
      { check: 'import table', path: 'src/extras/index.ts' },
      { check: 'tsconfig references', path: 'src/extras' },
      { check: 'orphans', path: 'src/extras/index.ts' },
    ]);
  });
});

describe('tsconfig references', () => {
  interface Config {
    compilerOptions: { types?: string[] };
    references: { path: string }[];
  }

  it.each([
    ['a folder', 'src/fleet/tsconfig.json', '../daemon'],
    ['the root', 'tsconfig.json', 'src/extras'],
    ['main', 'tsconfig.main.json', 'src/store'],
    ['the tests', 'tsconfig.test.json', 'src/extras'],
  ])('refuses one more in %s', (_, path, more) => {
    const findings = plantIn<Config>(path, ({ references }) => references.push({ path: more }));
    expect(findings.map(({ check, path }) => ({ check, path }))).toEqual([{ check: 'tsconfig references', path }]);
  });

  it('refuses Node in a pure folder', () => {
    const path = 'src/fleet/tsconfig.json';
    const findings = plantIn<Config>(path, ({ compilerOptions }) => {
      compilerOptions.types = ['node'];
    });
    expect(findings.map(({ check, path }) => ({ check, path }))).toEqual([{ check: 'tsconfig references', path }]);
  });
});

describe('time and chance', () => {
  it.each([
    'Date.now()',
    'new Date()',
    'new Date',
    'Date()',
    'Math.random()',
    'Math\n  .random()',
    'crypto.randomUUID()',
    'crypto.getRandomValues(x)',
    'performance.now()',
  ])('refuses %s in a pure folder', (call) => {
    for (const path of ['base', 'protocol', 'fleet', 'client'].map((folder) => `src/${folder}/index.ts`))
      expect(plant(path, `${call};`)).toMatchObject([{ check: 'time and chance', path, line: plantedLine(path) }]);
  });

  it('lets given times, other folders and words pass', () => {
    expect(plant('src/fleet/index.ts', "new Date(at); // Date.now()\nconst a = 'Math.random()';")).toEqual([]);
    expect(plant('src/store/index.ts', 'Date.now();')).toEqual([]);
  });
});

describe('adapters', () => {
  it.each([
    ['setTimeout(f, 1)', 'setTimeout'],
    ['globalThis.setInterval(f, 1)', 'globalThis.setInterval'],
    ['AbortSignal.timeout(5)', 'AbortSignal.timeout'],
    ['const later = setImmediate', 'setImmediate'],
    ['process.env.HOME', 'process.env'],
    ["import { spawn } from 'node:child_process'", 'node:child_process'],
    ["import { fork } from 'child_process'", 'child_process'],
    ["import { scheduler } from 'node:timers/promises'", 'node:timers/promises'],
    ["import { env } from 'node:process'", 'node:process'],
  ])('refuses %s elsewhere', (text, what) => {
    const path = 'src/server/index.ts';
    const [found, ...more] = plant(path, `${text};`);
    expect(found).toMatchObject({ check: 'adapters', path, line: plantedLine(path) });
    expect(found?.message).toContain(`"${what}" outside an adapter`);
    expect(more).toEqual([]);
  });

  it('refuses what an adapter is not listed for', () => {
    expect(plant('src/terminal/screen/screen-worker.ts', 'process.env.HOME;')).toMatchObject([{ check: 'adapters' }]);
  });

  it('lets methods, ports and type imports of the same names pass', () => {
    const text = "/x/.exec(y); socket.setTimeout(1); import type { ChildProcess } from 'node:child_process';";
    expect(plant('src/server/index.ts', text)).toEqual([]);
  });

  it('misses an adapter that is gone', () => {
    const tree = soundTree();
    tree.delete('src/git/run-git.ts');
    tree.set('src/git/index.ts', "/** Must never. */\nexport * from './run-script.ts';\n");
    expect(runAll(tree)).toMatchObject([
      { check: 'adapter list', message: 'Adapter "src/git/run-git.ts" does not exist' },
    ]);
  });
});

describe('orphans', () => {
  it('refuses a file nothing reaches, also when a test does', () => {
    const tree = soundTree();
    tree.set('src/fleet/lonely.ts', '');
    tree.set('src/fleet/lonely.test.ts', "import './lonely.ts';\n");
    expect(runAll(tree)).toMatchObject([{ check: 'orphans', path: 'src/fleet/lonely.ts' }]);
  });
});

describe('index docs', () => {
  it.each([
    ['nothing', 'export {};\n'],
    ['no limit', '/** What it is for. */\nexport {};\n'],
    ['a limit of something else', '/** What it is for. */\n/** Must never. */\nexport {};\n'],
  ])('refuses an index that opens with %s', (_, text) => {
    const tree = soundTree();
    tree.set('src/server/index.ts', text);
    expect(runAll(tree)).toMatchObject([{ check: 'index docs', path: 'src/server/index.ts' }]);
  });
});

describe('no test off', () => {
  it.each(['it.only', 'it.skip', 'test.todo', 'describe.only', 'describe.concurrent.skip', 'it.skip.each'])(
    'refuses %s',
    (call) => {
      const path = 'src/fleet/decide.test.ts';
      expect(plant(path, `${call}('x', () => {});\n`)).toMatchObject([
        { check: 'no test off', path, line: plantedLine(path) },
      ]);
    },
  );

  it('lets a named condition pass', () => {
    expect(plant('src/fleet/decide.test.ts', "it.runIf(isLinux)('x', () => {});\n")).toEqual([]);
  });
});

// Put together here, because this file is looked at too.
const slash = '/';

describe('machine paths', () => {
  it.each([
    ['work', 'main', 'x'],
    ['farm', 'in'],
    ['home', 'bob', '.ssh'],
    ['Users', 'bob'],
    ['tmp', 'bash_jobs'],
  ])('refuses %s/%s', (...parts) => {
    expect(plant('docs/notes.md', `See "${slash}${parts.join(slash)}"\n`)).toMatchObject([
      { check: 'machine paths', path: 'docs/notes.md', line: 1 },
    ]);
  });

  it('lets made-up people and longer paths pass', () => {
    expect(plant('docs/notes.md', 'In /home/ada/shop or https://example.com/work/here or ./work/there\n')).toEqual([]);
  });
});

describe('registry hosts', () => {
  it.each([
    ['.npmrc', `registry${'='}https://packages.example.com/\n`],
    ['.npmrc', `@mine:registry${'='}https://packages.example.com/\n`],
    ['docs/notes.md', `from registry${'.'}npmjs.org\n`],
    ['scripts/x.ts', `// https://npm${'.'}pkg.github.com\n`],
  ])('refuses one in %s', (path, text) => {
    expect(plant(path, text)).toMatchObject([{ check: 'registry hosts', path, line: 1 }]);
  });
});

describe('lockfile', () => {
  interface Lock {
    packages: Record<string, { integrity?: string; resolved?: string }>;
  }
  interface Manifest {
    dependencies: Record<string, string>;
  }

  it('misses an optional dependency without an entry', () => {
    const findings = plantIn<Lock>('package-lock.json', ({ packages }) => {
      delete packages['node_modules/extra'];
    });
    expect(findings).toEqual([
      {
        check: 'lockfile',
        path: 'package-lock.json',
        line: 0,
        message: '"node_modules/zod" needs "extra", which has no entry',
      },
    ]);
  });

  it('finds an entry where Node would', () => {
    const nest = (path: string) =>
      plantIn<Lock>('package-lock.json', ({ packages }) => {
        packages[path] = packages['node_modules/extra'] ?? {};
        delete packages['node_modules/extra'];
      });
    expect(nest('node_modules/zod/node_modules/extra')).toEqual([]);
    expect(nest('node_modules/other/node_modules/extra')).toHaveLength(1);
  });

  it('wants a package with binaries never compiled', () => {
    const path = 'node_modules/better-sqlite3';
    const lock = (gypfile: object) =>
      plantIn<Lock>('package-lock.json', ({ packages }) => {
        packages[path] = { integrity: 'sha512-b', ...gypfile };
      });
    expect(lock({ gypfile: false })).toEqual([]);
    expect(lock({}).map(({ message }) => message)).toEqual([
      `"${path}" lacks "gypfile": false, so "npm ci" would compile it: put that line back`,
    ]);
  });

  it('wants integrity and no download address', () => {
    const findings = plantIn<Lock>('package-lock.json', ({ packages }) => {
      packages['node_modules/zod'] = { resolved: 'somewhere' };
    });
    expect(findings.map(({ message }) => message)).toEqual([
      '"node_modules/zod" has no integrity',
      '"node_modules/zod" names where it was downloaded from ("resolved")',
    ]);
  });

  it.each(['^4.6.7', '~4.6.7', '4.6', 'latest', '*', '>=4'])('refuses the range %s', (range) => {
    const findings = plantIn<Manifest>('package.json', ({ dependencies }) => {
      dependencies.zod = range;
    });
    expect(findings.map(({ message }) => message)).toEqual([
      `"zod" is not pinned to one version: "${range}"`,
      'package-lock.json has other dependencies: run npm install',
    ]);
  });

  it('refuses a sixteenth runtime dependency', () => {
    const findings = plantIn<Manifest>('package.json', ({ dependencies }) => {
      for (let n = 0; n < 15; n++) dependencies[`more-${n}`] = '1.0.0';
    });
    expect(findings.map(({ message }) => message)).toContain('16 runtime dependencies; at most 15 are agreed');
  });
});
