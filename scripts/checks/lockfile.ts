import { isDeepStrictEqual } from 'node:util';
import type { Check, Finding } from './source-tree.ts';

interface LockedPackage {
  version?: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  inBundle?: boolean;
  gypfile?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

type Locked = Readonly<Record<string, LockedPackage>>;

/** Each is code we answer for and a person downloads; a sixteenth needs another to go. */
const runtimeDependenciesMax = 15;

/**
 * They bring their binaries, and beside them a recipe to compile these. Knowing a package by its lockfile entry alone,
 * npm follows the recipe unless the entry says not to; `npm install` drops that line whenever it writes the lockfile.
 */
const neverCompiled = ['better-sqlite3'];

/**
 * `npm ci` works on every platform from this lockfile alone. npm quietly leaves out optional packages of other
 * platforms when the registry it reached lacks them, and then refuses to install anywhere.
 */
export const checkLockfile: Check = (tree) => {
  const manifest: LockedPackage = JSON.parse(tree.get('package.json') ?? '{}');
  const packages: Locked = JSON.parse(tree.get('package-lock.json') ?? '{}').packages ?? {};
  return [...checkManifest(manifest, packages['']), ...checkEntries(packages)];
};

function checkManifest(manifest: LockedPackage, locked: LockedPackage | undefined): Finding[] {
  const findings: Finding[] = [];
  const report = (message: string) => findings.push({ path: 'package.json', line: 0, message });
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
    const wanted = manifest[kind] ?? {};
    for (const [name, version] of Object.entries(wanted))
      if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) report(`"${name}" is not pinned to one version: "${version}"`);
    if (!isDeepStrictEqual(wanted, locked?.[kind] ?? {}))
      report(`package-lock.json has other ${kind}: run npm install`);
  }
  const count = Object.keys(manifest.dependencies ?? {}).length;
  if (count > runtimeDependenciesMax)
    report(`${count} runtime dependencies; at most ${runtimeDependenciesMax} are agreed`);
  return findings;
}

function checkEntries(packages: Locked): Finding[] {
  return Object.entries(packages).flatMap(([path, entry]) => {
    const faults: string[] = [];
    if (path !== '' && entry.integrity === undefined && !entry.link && !entry.inBundle) faults.push('has no integrity');
    if (entry.resolved !== undefined) faults.push('names where it was downloaded from ("resolved")');
    if (neverCompiled.some((name) => path.endsWith(`node_modules/${name}`)) && entry.gypfile !== false)
      faults.push('lacks "gypfile": false, so "npm ci" would compile it: put that line back');
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }))
      if (!isLocked(packages, path, name)) faults.push(`needs "${name}", which has no entry`);
    return faults.map((fault) => ({ path: 'package-lock.json', line: 0, message: `"${path}" ${fault}` }));
  });
}

/** Looks where Node would: in the package's own folder, then in each above. */
function isLocked(packages: Locked, path: string, name: string): boolean {
  const owners = path.split(/(?:^|\/)node_modules\//).slice(1);
  for (let depth = owners.length; depth >= 0; depth--)
    if (packages[[...owners.slice(0, depth), name].map((part) => `node_modules/${part}`).join('/')] !== undefined)
      return true;
  return false;
}
