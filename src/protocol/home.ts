/** Where everything lives. One folder with `CONCERT_HOME`, else the XDG folders. */
export interface Home {
  configFile: string;
  state: string;
  journal: string;
  /** Two copies of the journal, made by turns every hour. */
  journalCopies: readonly [string, string];
  sessions: string;
  registry: string;
  worktrees: string;
  trash: string;
  trustFile: string;
  startsFile: string;
  daemonLog: string;
  demo: string;
  run: string;
  socket: string;
  /** Says who the daemon is: pid, start time, version. */
  daemonFile: string;
}

/** The layout an environment asks for; its folders must be absolute paths. `uid` names the fallback folder of systems without a runtime folder. */
export function layOutHome(env: Readonly<Record<string, string | undefined>>, uid: number): Home {
  const home = env['HOME'] ?? '/';
  const own = env['CONCERT_HOME'];
  const config = own ? own : join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'concertmaster');
  const state = own ? own : join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'concertmaster');
  const fallback = join(state, 'run');
  const run = env['CONCERT_RUNTIME_DIR']
    ? env['CONCERT_RUNTIME_DIR']
    : own
      ? join(own, 'run')
      : env['XDG_RUNTIME_DIR']
        ? join(env['XDG_RUNTIME_DIR'], 'concertmaster')
        : fallback.length > 80
          ? `/tmp/concertmaster-${uid}`
          : fallback;
  return {
    configFile: join(config, 'config.json'),
    state,
    journal: join(state, 'journal.db'),
    journalCopies: [join(state, 'journal.copy-0.db'), join(state, 'journal.copy-1.db')],
    sessions: join(state, 'holders'),
    registry: join(state, 'registry'),
    worktrees: join(state, 'worktrees'),
    trash: join(state, 'trash'),
    trustFile: join(state, 'trust.json'),
    startsFile: join(state, 'starts.json'),
    daemonLog: join(state, 'daemon.log'),
    demo: join(state, 'demo'),
    run,
    socket: join(run, 'daemon.sock'),
    daemonFile: join(run, 'daemon.json'),
  };
}

function join(...parts: string[]): string {
  return parts.join('/').replace(/\/{2,}/g, '/');
}
