import { scanSource } from './scan-source.ts';
import { type Check, type Finding, folderOf, isTest, isTypeScript, lineAt, type SourceTree } from './source-tree.ts';

/** Here time and chance arrive as fields or ports, so that one seed gives one history. */
const timelessFolders = ['base', 'protocol', 'fleet', 'client'];

const timeAndChance = [
  /\bDate\s*\.\s*now\b/g,
  /\bnew\s+Date\s*\(\s*\)/g,
  /\bnew\s+Date\b(?!\s*\()/g,
  /(?<!\bnew\s+)(?<!\.)\bDate\s*\(/g,
  /\bMath\s*\.\s*random\b/g,
  /\brandomUUID\b/g,
  /\bgetRandomValues\b/g,
  /\bperformance\s*\.\s*now\b/g,
];

/** Same code on the same input gives the same answer in the pure folders. */
export const checkTimeAndChance: Check = (tree) =>
  productSources(tree)
    .filter(([path]) => timelessFolders.includes(folderOf(path) ?? ''))
    .flatMap(([path, text]) =>
      search(path, text, timeAndChance, (what) => `"${what}" in a pure folder: take it as a field or through a port`),
    );

type AmbientKind = 'timers' | 'processes' | 'environment';

const ambient: Record<AmbientKind, readonly RegExp[]> = {
  timers: [
    /(?<![\w$.])(?:globalThis\s*\.\s*)?(?:setTimeout|setInterval|setImmediate)\b(?!\s*[:?])/g,
    /\bAbortSignal\s*\.\s*timeout\b/g,
  ],
  processes: [],
  environment: [/\bprocess\s*\.\s*env\b/g],
};

/** Modules that give the same powers by import. */
const ambientModules: Readonly<Record<string, AmbientKind>> = {
  child_process: 'processes',
  cluster: 'processes',
  timers: 'timers',
  'timers/promises': 'timers',
  process: 'environment',
};

interface Adapter {
  /** A file, or a folder with everything in it (ends in `/`). */
  path: string;
  may: readonly AmbientKind[];
  because: string;
}

/** The only places that touch the clock, the process table and the environment themselves; all else takes a port. */
export const adapters: readonly Adapter[] = [
  {
    path: 'src/terminal/holder/',
    may: ['timers', 'processes', 'environment'],
    because: 'A process of its own, outliving the daemon; its children and its clock are real or it is nothing',
  },
  {
    path: 'src/terminal/start-holder.ts',
    may: ['processes'],
    because: 'Starts holders so that their life does not hang on ours',
  },
  {
    path: 'src/terminal/screen/screen-worker.ts',
    may: ['timers'],
    because: 'A worker thread beside the loop: it gathers output over real milliseconds',
  },
  {
    path: 'src/agents/demo/program/',
    may: ['timers', 'processes', 'environment'],
    because: 'The simulated agent is a program in a terminal, like the real ones',
  },
  {
    path: 'src/store/journal-worker.ts',
    may: ['timers'],
    because: 'A worker thread beside the loop: it gathers what arrives in one turn into one commit',
  },
  {
    path: 'src/agents/demo/demo-project.ts',
    may: ['processes', 'environment'],
    because: 'Makes the throwaway repository with the git binary: agents may not import git',
  },
  { path: 'src/daemon/real-ports.ts', may: ['timers'], because: 'The real clock behind the port' },
  { path: 'src/daemon/machine-probe.ts', may: ['processes'], because: 'Asks the machine which programs it has' },
  { path: 'src/daemon/service/', may: ['processes'], because: 'Talks to systemd and launchd' },
  {
    path: 'src/git/run-script.ts',
    may: ['processes'],
    because: 'Runs the setup commands of a trusted project, with a deadline',
  },
  {
    path: 'src/git/run-git.ts',
    may: ['timers', 'processes', 'environment'],
    because: 'Runs the git binary, with a deadline',
  },
  { path: 'src/cli/clock.ts', may: ['timers'], because: 'The real clock behind the port' },
  { path: 'src/cli/start-daemon.ts', may: ['processes'], because: 'Starts the daemon, detached' },
  { path: 'src/cli/run-editor.ts', may: ['processes'], because: 'Opens the editor of the person' },
  { path: 'src/cli/attach/raw-terminal.ts', may: ['processes'], because: 'Only stty can make a terminal fully raw' },
  { path: 'src/main.ts', may: ['environment'], because: 'Reads the environment once and passes it on' },
];

/** Raw timers, processes and environment stand in the listed adapters only. */
export const checkAdapters: Check = (tree) =>
  productSources(tree).flatMap(([path, text]) => {
    const forbidden = (kind: AmbientKind) =>
      !adapters.some((adapter) => covers(adapter, path) && adapter.may.includes(kind));
    const explain = (kind: AmbientKind) => (what: string) =>
      `"${what}" outside an adapter for ${kind}: take a port, or list the file with its reason in scripts/checks/ambient.ts`;
    const kinds = (Object.keys(ambient) as AmbientKind[]).filter(forbidden);
    const named = kinds.flatMap((kind) => search(path, text, ambient[kind], explain(kind)));
    const imported = scanSource(text).imports.flatMap(({ specifier, kind: importKind, line }) => {
      const kind = ambientModules[specifier.replace(/^node:/, '')];
      if (kind === undefined || importKind === 'type' || !forbidden(kind)) return [];
      return [{ path, line, message: explain(kind)(specifier) }];
    });
    return [...named, ...imported];
  });

/** An adapter that is gone leaves the list, so that its freedom is not inherited by a later file of the same name. */
export const checkAdapterList: Check = (tree) =>
  adapters
    .filter((adapter) => ![...tree.keys()].some((path) => covers(adapter, path)))
    .map(({ path }) => ({ path: 'scripts/checks/ambient.ts', line: 0, message: `Adapter "${path}" does not exist` }));

function covers(adapter: Adapter, path: string): boolean {
  return adapter.path.endsWith('/') ? path.startsWith(adapter.path) : path === adapter.path;
}

function productSources(tree: SourceTree): [string, string][] {
  return [...tree].filter(([path]) => path.startsWith('src/') && isTypeScript(path) && !isTest(path));
}

function search(path: string, text: string, patterns: readonly RegExp[], message: (what: string) => string): Finding[] {
  const { code } = scanSource(text);
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => ({ path, line: lineAt(text, match.index), message: message(match[0]) })),
  );
}
