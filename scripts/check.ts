import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { root as ownRoot } from './bootstrap.mjs';
import { treeChecks } from './checks/all.ts';
import { checkGenerated } from './checks/generated.ts';
import { type Finding, readSourceTree } from './checks/source-tree.ts';

/**
 * `npm run check [root]`: everything that must hold before a commit, in well under a minute. Looks at this repository,
 * or at another tree with our tools.
 */
const root = resolve(process.argv[2] ?? ownRoot);

interface Step {
  name: string;
  /** Says what is wrong; an empty text is a pass. */
  run: () => Promise<string>;
}

/** The tools use all cores themselves; two at a time keeps them busy without slowing each other. */
const stepsAtOnce = 2;
/** Of a failed step; the rest is seen by running it alone. */
const linesShownMax = 40;

const tree = readSourceTree(root);
const steps: Step[] = [
  { name: 'types and boundaries', run: () => runTool('tsc', ['-b', '--pretty', 'false']) },
  { name: 'format and lint', run: () => runTool('biome', ['ci', '--colors=off', '--error-on-warnings']) },
  ...Object.entries(treeChecks).map(([name, check]) => ({ name, run: async () => describe(check(tree)) })),
  { name: 'generated files', run: async () => describe(checkGenerated(root, tree)) },
  { name: 'dead code', run: () => runTool('knip', ['--no-progress']) },
  {
    name: 'dead code, tests apart',
    run: () =>
      runTool('knip', ['--no-progress', '--production', '--include', 'files,dependencies,unlisted,unresolved']),
  },
];

const started = performance.now();
const results = await runAll(steps, stepsAtOnce);
for (const { name, fault, seconds } of results)
  console.log(`${fault === '' ? 'ok  ' : 'FAIL'}  ${name.padEnd(24)} ${seconds.toFixed(1).padStart(5)} s`);
const failed = results.filter(({ fault }) => fault !== '');
for (const { name, fault } of failed) console.log(`\n${name}:\n${shorten(fault)}`);
const total = ((performance.now() - started) / 1000).toFixed(1);
console.log(`\n${results.length - failed.length} passed, ${failed.length} failed in ${total} s`);
process.exitCode = failed.length > 0 ? 1 : 0;

async function runAll(steps: readonly Step[], atOnce: number) {
  const results = steps.map(({ name }) => ({ name, fault: '', seconds: 0 }));
  const waiting = steps.entries();
  const work = async () => {
    for (const [index, { name, run }] of waiting) {
      const from = performance.now();
      const fault = await run();
      results[index] = { name, fault, seconds: (performance.now() - from) / 1000 };
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** Runs a tool of node_modules on this runtime; its whole output when it exits with anything but 0. */
async function runTool(name: string, args: readonly string[]): Promise<string> {
  const child = spawn(join(ownRoot, 'node_modules/.bin', name), args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return code === 0 ? '' : `${out}${err}`.trim() || `"${name}" ended with exit code ${code}`;
}

function describe(findings: readonly Finding[]): string {
  return findings.map(({ path, line, message }) => `${path}${line > 0 ? `:${line}` : ''}  ${message}`).join('\n');
}

function shorten(fault: string): string {
  const lines = fault.split('\n');
  const left = lines.length - linesShownMax;
  return left > 0 ? [...lines.slice(0, linesShownMax), `… and ${left} lines more`].join('\n') : fault;
}
