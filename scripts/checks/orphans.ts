import { bundleEntries } from '../bundle-entries.ts';
import { resolveImport, scanSource } from './scan-source.ts';
import { type Check, isTest, isTypeScript, type SourceTree } from './source-tree.ts';

/** Files of `src/` that no program we ship reaches by imports. Tests do not count: code only they use belongs in `test/support`. */
export const checkOrphans: Check = (tree) => {
  const entries = Object.values(bundleEntries).filter((path) => tree.has(path));
  const reached = reach(tree, entries);
  return [...tree.keys()]
    .filter((path) => path.startsWith('src/') && isTypeScript(path) && !isTest(path) && !reached.has(path))
    .map((path) => ({ path, line: 0, message: 'Orphan: no bundle reaches it (entries: scripts/bundle-entries.ts)' }));
};

function reach(tree: SourceTree, entries: readonly string[]): Set<string> {
  const reached = new Set(entries);
  for (const path of reached)
    for (const { specifier } of scanSource(tree.get(path) ?? '').imports) {
      const target = resolveImport(path, specifier);
      if (target !== undefined && tree.has(target)) reached.add(target);
    }
  return reached;
}
