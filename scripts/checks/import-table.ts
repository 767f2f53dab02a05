/** One folder of `src/`: what it may import and what surrounds it. */
export interface FolderRow {
  folders: readonly string[];
  /** Packages, without Node's own modules. */
  packages: readonly string[];
  /** `language` has no process, timers, network or files: not even their names. */
  environment: 'language' | 'node';
}

/**
 * Which way dependencies point. The tsconfig of each folder says the same to the compiler; `tsconfigs.ts` keeps the
 * two alike and `imports.ts` holds what the compiler does not see. A package stands where its one kind of I/O lives.
 */
export const importTable: Readonly<Record<string, FolderRow>> = {
  base: { folders: [], packages: [], environment: 'language' },
  protocol: { folders: ['base'], packages: ['zod'], environment: 'language' },
  fleet: { folders: ['base', 'protocol'], packages: [], environment: 'language' },
  client: { folders: ['base', 'protocol'], packages: [], environment: 'language' },
  terminal: {
    folders: ['base', 'protocol'],
    packages: ['@xterm/addon-unicode11', '@xterm/headless', 'node-pty', 'zod'],
    environment: 'node',
  },
  store: { folders: ['base', 'protocol', 'fleet'], packages: ['better-sqlite3', 'zod'], environment: 'node' },
  agents: { folders: ['base', 'protocol', 'fleet'], packages: ['zod'], environment: 'node' },
  git: { folders: ['base', 'protocol', 'fleet'], packages: ['zod'], environment: 'node' },
  server: {
    folders: ['base', 'protocol', 'fleet'],
    packages: ['@hono/node-server', 'hono', 'ws', 'zod'],
    environment: 'node',
  },
  daemon: {
    folders: ['base', 'protocol', 'fleet', 'terminal', 'store', 'agents', 'git', 'server'],
    packages: ['zod'],
    environment: 'node',
  },
  cli: { folders: ['base', 'protocol', 'client'], packages: ['commander', 'ws', 'zod'], environment: 'node' },
  sim: {
    folders: ['base', 'protocol', 'fleet', 'terminal', 'store', 'agents', 'git', 'server', 'daemon'],
    packages: ['zod'],
    environment: 'node',
  },
};

/** `src/main.ts` alone knows both the daemon and the user interfaces. */
export const mainRow: FolderRow = {
  folders: ['base', 'protocol', 'client', 'cli', 'daemon', 'sim'],
  packages: [],
  environment: 'node',
};

/** May be imported with `import()` only: whoever runs the product never loads it. */
export const lazyFolders: readonly string[] = ['sim'];
