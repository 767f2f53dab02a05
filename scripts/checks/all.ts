import { checkAdapterList, checkAdapters, checkTimeAndChance } from './ambient.ts';
import { checkImports } from './imports.ts';
import { checkLockfile } from './lockfile.ts';
import { checkOrphans } from './orphans.ts';
import type { Check } from './source-tree.ts';
import { checkIndexDocs, checkMachinePaths, checkRegistryHosts, checkTestsRun } from './texts.ts';
import { checkTsconfigs } from './tsconfigs.ts';

/** What holds for this tree and neither compiler nor linter knows, by the name `npm run check` prints. */
export const treeChecks: Readonly<Record<string, Check>> = {
  'import table': checkImports,
  'tsconfig references': checkTsconfigs,
  'time and chance': checkTimeAndChance,
  adapters: checkAdapters,
  'adapter list': checkAdapterList,
  orphans: checkOrphans,
  'index docs': checkIndexDocs,
  'no test off': checkTestsRun,
  'machine paths': checkMachinePaths,
  'registry hosts': checkRegistryHosts,
  lockfile: checkLockfile,
};
