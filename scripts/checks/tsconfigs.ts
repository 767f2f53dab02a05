import { isDeepStrictEqual } from 'node:util';
import { importTable, mainRow } from './import-table.ts';
import { type Check, type Finding, folderOf, type SourceTree } from './source-tree.ts';

/** The compiler is told exactly the import table: same folders, same references, same environment. */
export const checkTsconfigs: Check = (tree) => {
  const rows = Object.keys(importTable);
  const folders = [...new Set([...tree.keys()].map(folderOf).filter((folder) => folder !== undefined))];
  return [
    ...folders
      .filter((folder) => !rows.includes(folder))
      .map((folder) => fault(`src/${folder}`, `Folder "${folder}" has no row in scripts/checks/import-table.ts`)),
    ...rows.flatMap((folder) => compare(tree, `src/${folder}/tsconfig.json`, folderConfig(folder))),
    ...compare(tree, 'tsconfig.json', { files: [], references: references([...rows.map(inSrc), ...wholeTree]) }),
    ...compareReferences(tree, 'tsconfig.main.json', mainRow.folders.map(inSrc)),
    ...compareReferences(tree, 'tsconfig.test.json', [...rows.map(inSrc), 'tsconfig.main.json']),
  ];
};

const wholeTree = ['tsconfig.main.json', 'tsconfig.test.json'];
const inSrc = (folder: string) => `src/${folder}`;

function folderConfig(folder: string): unknown {
  const { folders, environment } = importTable[folder] ?? mainRow;
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      rootDir: '.',
      outDir: `../../build/${folder}`,
      tsBuildInfoFile: `../../build/${folder}/.tsbuildinfo`,
      // Without it the base says `types: []`: no environment at all.
      ...(environment === 'node' ? { types: ['node'] } : {}),
    },
    include: ['**/*'],
    exclude: ['**/*.test.ts'],
    references: references(folders.map((other) => `../${other}`)),
  };
}

function references(paths: readonly string[]): { path: string }[] {
  return paths.map((path) => ({ path }));
}

function compare(tree: SourceTree, path: string, wanted: unknown): Finding[] {
  const found = parse(tree, path);
  if (isDeepStrictEqual(sortReferences(found), sortReferences(wanted))) return [];
  return [fault(path, `Does not say what the import table says; it should be ${JSON.stringify(wanted)}`)];
}

function compareReferences(tree: SourceTree, path: string, wanted: readonly string[]): Finding[] {
  const found = parse(tree, path);
  if (isDeepStrictEqual(pathsOf(found), [...wanted].sort())) return [];
  return [
    fault(path, `References ${pathsOf(found).join(', ')}; the import table says ${[...wanted].sort().join(', ')}`),
  ];
}

interface Tsconfig {
  references?: { path: string }[];
}

function parse(tree: SourceTree, path: string): Tsconfig {
  return JSON.parse(tree.get(path) ?? '{}');
}

function pathsOf(config: Tsconfig): string[] {
  return (config.references ?? []).map(({ path }) => path).sort();
}

function sortReferences(config: unknown): unknown {
  return { ...(config as Tsconfig), references: pathsOf(config as Tsconfig) };
}

function fault(path: string, message: string): Finding {
  return { path, line: 0, message };
}
