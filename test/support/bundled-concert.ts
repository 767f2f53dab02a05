import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Metafile, stop } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/**
 * The program bundled from the present source into a folder, as `npm run build` would: starting it takes a tenth of
 * starting the source. Answers its main file, and what went into which bundle.
 */
export async function bundleConcert(folder: string): Promise<{ main: string; metafile: Metafile }> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/main.ts' },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.12',
    metafile: true,
    external: ['better-sqlite3', 'node-pty', 'bufferutil', 'utf-8-validate'],
    banner: {
      js: "import { createRequire as $createRequire } from 'node:module';\nconst require = $createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  await stop();
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'version.json'), '{"version":"0.1.0"}');
  return { main: join(folder, 'main.js'), metafile };
}
