import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleConcert } from '../../test/support/bundled-concert.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';

/**
 * What a person waits for at every call. Time itself is measured by the benchmark; what makes it is what is loaded, and
 * that can be told exactly: the schema library alone is 12 ms, the HTTP server's world 100.
 */
const folder = temporaryFolder();
let metafile: Metafile;
beforeAll(async () => {
  ({ metafile } = await bundleConcert(folder.path));
});
afterAll(() => folder[Symbol.dispose]());

/** Sources in the bundles that are loaded when these dynamic imports are followed and no others. */
function loadedBy(...followed: string[]): { sources: string[]; kilobytes: number } {
  const outputs = Object.entries(metafile.outputs);
  const entryOf = (source: string) => outputs.find(([, { entryPoint }]) => entryPoint === source)?.[0];
  const seen = new Set<string>();
  const visit = (output: string | undefined): void => {
    if (output === undefined || seen.has(output)) return;
    seen.add(output);
    for (const { path, kind } of metafile.outputs[output]?.imports ?? []) {
      if (kind === 'import-statement') visit(path);
    }
  };
  for (const source of ['src/main.ts', ...followed]) {
    expect(entryOf(source), source).toBeDefined();
    visit(entryOf(source));
  }
  const kilobytes = [...seen].reduce((sum, output) => sum + (metafile.outputs[output]?.bytes ?? 0), 0) / 1024;
  return { sources: [...seen].flatMap((output) => Object.keys(metafile.outputs[output]?.inputs ?? {})), kilobytes };
}

const packagesIn = (sources: readonly string[]) =>
  [...new Set(sources.map((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1]).filter(Boolean))].sort();

test('help loads the table of verbs and little else', () => {
  const { sources, kilobytes } = loadedBy('src/cli/help-text.ts');
  expect(packagesIn(sources)).toEqual([]);
  expect(kilobytes).toBeLessThan(64);
});

const call = ['src/cli/open-call.ts'];

test.each([
  ['ls', [], []],
  ['attach', [], []],
  ['show', ['src/cli/parse-verb.ts'], ['commander']],
  ['run', ['src/cli/parse-verb.ts'], ['commander']],
])('%s loads no schemas and nothing of the daemon', (verb, more, packages) => {
  const { sources } = loadedBy(...call, ...more, `src/cli/verbs/${verb}.ts`);
  expect(packagesIn(sources)).toEqual(packages);
  expect(sources.filter((source) => /^src\/(?!cli|client|base|protocol|main)/.test(source))).toEqual([]);
});
