import { adapters } from './ambient.ts';
import { importTable, mainRow } from './import-table.ts';
import { folderOf } from './source-tree.ts';

/**
 * A repository that passes `npm run check`, as small as the rules allow: every folder, every bundle, every adapter.
 * Tests plant a violation in a copy; `check.test.ts` writes it to a disk and has the real tools look at it.
 */
export function soundTree(): Map<string, string> {
  const tree = new Map([...manifests(), ...tsconfigs(), ...sources()]);
  addMissingAdapters(tree);
  return tree;
}

/** An empty file for each adapter on the list that has none yet, imported by its folder. */
function addMissingAdapters(tree: Map<string, string>): void {
  for (const { path } of adapters) {
    if ([...tree.keys()].some((known) => known.startsWith(path))) continue;
    const file = path.endsWith('/') ? `${path}adapter.ts` : path;
    const index = `src/${folderOf(file)}/index.ts`;
    tree.set(file, 'export {};\n');
    tree.set(index, `${tree.get(index)}import '.${file.slice(index.lastIndexOf('/'))}';\n`);
  }
}

const folders = Object.keys(importTable);
const doc = '/** What it is for. Must never do the other thing. */\n';

function manifests(): [string, string][] {
  const manifest = { dependencies: { zod: '4.6.7' }, devDependencies: { knip: '6.40.0', vitest: '5.1.1' } };
  const packages = {
    '': manifest,
    'node_modules/knip': { version: '6.40.0', integrity: 'sha512-k' },
    'node_modules/vitest': { version: '5.1.1', integrity: 'sha512-v' },
    'node_modules/zod': { version: '4.6.7', integrity: 'sha512-z', optionalDependencies: { extra: '1.0.0' } },
    'node_modules/extra': { version: '1.0.0', integrity: 'sha512-e', optional: true },
  };
  return [
    ['package.json', toJson({ name: 'sound', type: 'module', ...manifest })],
    ['package-lock.json', toJson({ packages })],
  ];
}

function tsconfigs(): [string, string][] {
  const inSrc = folders.map((folder) => `src/${folder}`);
  const forFolders = Object.entries(importTable).map(([folder, row]): [string, string] => [
    `src/${folder}/tsconfig.json`,
    toJson({
      extends: '../../tsconfig.base.json',
      compilerOptions: {
        rootDir: '.',
        outDir: `../../build/${folder}`,
        tsBuildInfoFile: `../../build/${folder}/.tsbuildinfo`,
        ...(row.environment === 'node' ? { types: ['node'] } : {}),
      },
      include: ['**/*'],
      exclude: ['**/*.test.ts'],
      references: toReferences(row.folders.map((other) => `../${other}`)),
    }),
  ]);
  const outer = (name: string, content: object, references: readonly string[]): [string, string] => {
    const outDir = `build/${name}`;
    const compilerOptions = { rootDir: '.', outDir, tsBuildInfoFile: `${outDir}/.tsbuildinfo`, types: ['node'] };
    const config = { extends: './tsconfig.base.json', compilerOptions, ...content };
    return [`tsconfig.${name}.json`, toJson({ ...config, references: toReferences(references) })];
  };
  const all = [...inSrc, 'tsconfig.main.json', 'tsconfig.test.json'];
  return [
    ...forFolders,
    ['tsconfig.json', toJson({ files: [], references: toReferences(all) })],
    outer(
      'main',
      { files: ['src/main.ts'] },
      mainRow.folders.map((folder) => `src/${folder}`),
    ),
    outer('test', { include: ['src/**/*.test.ts'] }, [...inSrc, 'tsconfig.main.json']),
  ];
}

function toReferences(paths: readonly string[]): { path: string }[] {
  return paths.map((path) => ({ path }));
}

function toJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function sources(): [string, string][] {
  const importing = (from: string, names: readonly string[]) =>
    [...names].sort().map((name) => `import { ${name} } from '${from}${name}/index.ts';\n`);
  /** A folder that uses all it may import. */
  const using = (folder: string, names = importTable[folder]?.folders ?? []): [string, string] => [
    `src/${folder}/index.ts`,
    `${doc}${importing('../', names).join('')}\nexport const ${folder} = [${names.join(', ')}];\n`,
  ];
  return [
    ['src/base/index.ts', `${doc}export const base = 1;\n`],
    ['src/protocol/index.ts', `${doc}import * as z from 'zod';\n\nexport const protocol = z.string();\n`],
    ...['fleet', 'client', 'terminal', 'store', 'agents', 'server', 'daemon', 'cli'].map((folder) => using(folder)),
    using('sim', ['daemon']),
    ['src/git/index.ts', `${doc}export { runGit as git } from './run-git.ts';\n`],
    [
      'src/git/run-git.ts',
      "import { execFile } from 'node:child_process';\n\nexport function runGit(): void {\n  execFile('git');\n}\n",
    ],
    [
      'src/main.ts',
      `${importing('./', ['cli', 'client', 'daemon']).join('')}
console.log(cli, client, daemon, (await import('./sim/index.ts')).sim);\n`,
    ],
    ['src/terminal/holder/main.ts', "import { spawn } from 'node:child_process';\n\nspawn('true');\n"],
    ['src/terminal/screen/screen-worker.ts', 'setTimeout(() => {}, 1);\n'],
    ['src/store/journal-worker.ts', "console.log('journal');\n"],
    ['src/agents/demo/program/main.ts', 'console.log(process.env.HOME);\n'],
    ['src/fleet/decide.test.ts', "import { it } from 'vitest';\n\nit('decides', () => {});\n"],
  ];
}
