import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { root, sourceHash } from './bootstrap.mjs';
import { bundleEntries } from './bundle-entries.ts';

/**
 * Chunks of earlier builds stay this long: a daemon started from one may load them any time before it is replaced.
 * At about 1 MB a build that bounds `dist` to what one works through in a week.
 */
const staleChunkDaysMax = 7;

export interface BuildOptions {
  /** Tree to build; `dist` is made inside it. */
  root: string;
  /** Bundle names and where their sources start; those without a source are left out. */
  entries: Readonly<Record<string, string>>;
}

export interface BuiltFile {
  name: string;
  bytes: number;
}

/** What `dist/version.json` holds. `buildId` names the content of the bundles, `sourceHash` what they were made from. */
export interface BuildVersion {
  version: string;
  buildId: string;
  sourceHash: string;
}

/**
 * Bundles every entry into flat files, `dist/<name>.js` beside shared chunks, so that `new URL('./<name>.js',
 * import.meta.url)` finds a sibling from any of them. Files appear whole (written aside, then renamed), chunks before
 * the entries that name them, `version.json` last.
 */
export async function buildBundles({
  root,
  entries,
}: BuildOptions): Promise<{ files: BuiltFile[]; version: BuildVersion }> {
  const dist = join(root, 'dist');
  const present = Object.entries(entries).filter(([, source]) => existsSync(join(root, source)));
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(present),
    outdir: dist,
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.12',
    chunkNames: '[name]-[hash]',
    // Native packages are loaded from node_modules; the last two are optional parts of ws that we do not install.
    external: ['better-sqlite3', 'node-pty', 'bufferutil', 'utf-8-validate'],
    minifySyntax: true,
    keepNames: true,
    legalComments: 'none',
    // Bundled CommonJS packages reach Node's own modules through `require`, which ES modules lack.
    banner: {
      js: "import { createRequire as $createRequire } from 'node:module';\nconst require = $createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });

  const bundles = outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
  const isEntry = (name: string) => present.some(([entry]) => name === `${entry}.js`);
  bundles.sort((a, b) => Number(isEntry(a.name)) - Number(isEntry(b.name)) || a.name.localeCompare(b.name));

  const content = createHash('sha256');
  for (const { name, contents } of bundles) content.update(`${name}\0${contents.length}\0`).update(contents);
  const version = {
    version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    buildId: content.digest('hex').slice(0, 16),
    sourceHash: sourceHash(root),
  };

  mkdirSync(dist, { recursive: true });
  for (const { name, contents } of bundles) replaceFile(join(dist, name), contents);
  replaceFile(join(dist, 'version.json'), `${JSON.stringify(version, null, 2)}\n`);
  removeStale(dist, new Set([...bundles.map(({ name }) => name), 'version.json']));
  return { files: bundles.map(({ name, contents }) => ({ name, bytes: contents.length })), version };
}

function replaceFile(path: string, content: Uint8Array | string): void {
  const aside = `${path}.${process.pid}.tmp`;
  writeFileSync(aside, content);
  renameSync(aside, path);
}

/** Removes what this build did not write: entries that are gone at once, chunks when nothing can need them any more. */
function removeStale(dist: string, written: ReadonlySet<string>): void {
  const oldest = Date.now() - staleChunkDaysMax * 24 * 3600 * 1000;
  for (const name of readdirSync(dist).filter((name) => /\.(js|tmp)$/.test(name) && !written.has(name))) {
    const path = join(dist, name);
    const isChunk = /-[A-Z0-9]{8}\.js$/.test(name);
    if (!isChunk || statSync(path).mtimeMs < oldest) rmSync(path);
  }
}

if (import.meta.main) {
  const started = performance.now();
  const { files, version } = await buildBundles({ root, entries: bundleEntries });
  if (!process.argv.includes('--quiet')) {
    for (const { name, bytes } of files)
      console.log(`${String(Math.ceil(bytes / 1024)).padStart(6)} KiB  dist/${name}`);
    console.log(`Built ${version.version} (${version.buildId}) in ${Math.round(performance.now() - started)} ms`);
  }
}
