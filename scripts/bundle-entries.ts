/** The programs we ship: bundle name in `dist` and where its source starts. Each becomes a process or a thread of its own. */
export const bundleEntries = {
  main: 'src/main.ts',
  holder: 'src/terminal/holder/main.ts',
  'screen-worker': 'src/terminal/screen/screen-worker.ts',
  'journal-worker': 'src/store/journal-worker.ts',
  'demo-agent': 'src/agents/demo/program/main.ts',
} as const;
