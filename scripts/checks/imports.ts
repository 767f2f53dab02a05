import { isBuiltin } from 'node:module';
import { type FolderRow, importTable, lazyFolders, mainRow } from './import-table.ts';
import { resolveImport, type SourceImport, scanSource } from './scan-source.ts';
import { type Check, folderOf, isTest, isTypeScript } from './source-tree.ts';

/**
 * Imports in `src/` go where the table allows, into another folder only through its index, and into no other agent.
 * Tests beside the code may use any package, Node and `test/support` on top.
 */
export const checkImports: Check = (tree) => {
  const sources = [...tree].filter(([path]) => path.startsWith('src/') && isTypeScript(path));
  return sources.flatMap(([path, text]) => {
    const row = rowOf(path);
    if (row === undefined) return [{ path, line: 0, message: `No row of the import table covers "${path}"` }];
    return scanSource(text).imports.flatMap((found) => {
      const message = describeFault(path, found, row);
      return message === undefined ? [] : [{ path, line: found.line, message }];
    });
  });
};

function rowOf(path: string): FolderRow | undefined {
  const folder = folderOf(path);
  return folder === undefined ? mainRow : importTable[folder];
}

function describeFault(path: string, found: SourceImport, row: FolderRow): string | undefined {
  const target = resolveImport(path, found.specifier);
  if (target === undefined) return describePackageFault(path, found.specifier, row);
  if (isTest(path) && target.startsWith('test/support/')) return undefined;

  const from = folderOf(path) ?? 'main.ts';
  const to = folderOf(target);
  if (to === undefined) return `"${from}" may not import "${target}": it lies outside the folders of src`;
  if (to === from) return describeAgentFault(path, target);
  if (!row.folders.includes(to)) return `"${from}" may not import "${to}"`;
  if (target !== `src/${to}/index.ts`) return `Import "${to}" through src/${to}/index.ts, not "${target}"`;
  if (lazyFolders.includes(to) && found.kind === 'value') return `"${to}" may only be imported lazily, by import()`;
  return undefined;
}

function describePackageFault(path: string, specifier: string, row: FolderRow): string | undefined {
  const from = folderOf(path) ?? 'main.ts';
  if (isBuiltin(specifier))
    return row.environment === 'node' || isTest(path)
      ? undefined
      : `"${from}" may not import "${specifier}": it is pure`;
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (row.packages.includes(name) || isTest(path)) return undefined;
  return `"${from}" may not import the package "${name}"`;
}

/** Each folder of `agents/` is one agent CLI; its oddities stay inside. Files of `agents/` itself are shared. */
function describeAgentFault(path: string, target: string): string | undefined {
  const agent = /^src\/agents\/([^/]+)\//.exec(path)?.[1];
  const other = /^src\/agents\/([^/]+)\//.exec(target)?.[1];
  if (agent === undefined || other === undefined || agent === other) return undefined;
  return `Agent "${agent}" may not import agent "${other}"`;
}
