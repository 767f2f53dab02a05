/** Where the program's other entry points lie: beside the bundle when built, in their folders when run from source. */
export interface Entries {
  holder: URL;
  screenWorker: URL;
  journalWorker: URL;
  demoAgent: URL;
}

export function findEntries(base: string): Entries {
  const isBuilt = base.endsWith('.js');
  const at = (built: string, source: string) => new URL(isBuilt ? `./${built}` : `../${source}`, base);
  return {
    holder: at('holder.js', 'terminal/holder/main.ts'),
    screenWorker: at('screen-worker.js', 'terminal/screen/screen-worker.ts'),
    journalWorker: at('journal-worker.js', 'store/journal-worker.ts'),
    demoAgent: at('demo-agent.js', 'agents/demo/program/main.ts'),
  };
}
