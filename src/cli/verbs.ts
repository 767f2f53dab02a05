import type { DaemonNeed } from './ensure-daemon.ts';
import type { QuickShape, Verb } from './verb.ts';

/** One line of `concert --help`, and where the verb's code is: loaded only when it is called. */
export interface VerbRow {
  group: Group;
  usage: string;
  summary: string;
  daemon: DaemonNeed;
  /** What completion offers after it: ids of sessions, or these words. */
  completes?: 'ids' | readonly string[];
  /** The usual form of a call, for verbs that are waited for at the keyboard. */
  quick?: QuickShape;
  /** Left out of help and completion. */
  isHidden?: true;
  load(): Promise<{ verb: Verb }>;
}

export const groups = ['Start and stop', 'Work', 'Look', 'Arrange', 'House'] as const;
export type Group = (typeof groups)[number];

export const verbs: Readonly<Record<string, VerbRow>> = {
  up: {
    group: 'Start and stop',
    usage: 'up',
    summary: 'start the daemon in the background',
    daemon: 'none',
    load: () => import('./verbs/up.ts'),
  },
  down: {
    group: 'Start and stop',
    usage: 'down',
    summary: 'stop the daemon; sessions go on',
    daemon: 'none',
    load: () => import('./verbs/down.ts'),
  },
  status: {
    group: 'Start and stop',
    usage: 'status',
    summary: 'the daemon, the fleet in one line, what a restart found',
    daemon: 'revive',
    load: () => import('./verbs/status.ts'),
  },
  service: {
    group: 'Start and stop',
    usage: 'service install|remove|status',
    summary: 'start the daemon at login and keep sessions through logout',
    daemon: 'none',
    completes: ['install', 'remove', 'status'],
    load: () => import('./verbs/service.ts'),
  },
  demo: {
    group: 'Start and stop',
    usage: 'demo [start|stop]',
    summary: 'a simulated fleet in a throwaway repository',
    daemon: 'start',
    completes: ['start', 'stop'],
    load: () => import('./verbs/demo.ts'),
  },
  run: {
    group: 'Work',
    usage: 'run "<task>" | run -- <argv...>',
    summary: 'start a session on a task, or run any command as one',
    daemon: 'start',
    load: () => import('./verbs/run.ts'),
  },
  attach: {
    group: 'Work',
    usage: 'attach <id>',
    summary: 'hand this terminal to a session; ctrl+] then d comes back',
    daemon: 'start',
    completes: 'ids',
    quick: { args: [1, 1], flags: ['--view', '--take', '--follow'], defaults: { history: '0' } },
    load: () => import('./verbs/attach.ts'),
  },
  send: {
    group: 'Work',
    usage: 'send <id>... "<text>"',
    summary: 'a message, delivered at the end of the turn or --now',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/send.ts'),
  },
  keys: {
    group: 'Work',
    usage: 'keys <id> <keys...>',
    summary: 'raw keys, such as ^C, \\r or \\x1b',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/keys.ts'),
  },
  wait: {
    group: 'Work',
    usage: 'wait <id>... --for <states>',
    summary: 'until it is in one of these states; exit 5 when it needs you',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/wait.ts'),
  },
  ls: {
    group: 'Look',
    usage: 'ls',
    summary: 'sessions and the queue, those that wait for you first',
    daemon: 'revive',
    quick: { args: [0, 0], flags: ['--watch'], defaults: {} },
    load: () => import('./verbs/ls.ts'),
  },
  show: {
    group: 'Look',
    usage: 'show <id>',
    summary: 'all about one session; --screen prints its present screen',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/show.ts'),
  },
  explain: {
    group: 'Look',
    usage: 'explain <id>',
    summary: 'why its state is believed',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/explain.ts'),
  },
  logs: {
    group: 'Look',
    usage: 'logs <id>',
    summary: 'what it printed, as text or --raw',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/logs.ts'),
  },
  diff: {
    group: 'Look',
    usage: 'diff <id>',
    summary: 'what it changed since its base',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/diff.ts'),
  },
  events: {
    group: 'Look',
    usage: 'events',
    summary: 'what happened, one event a line; --follow goes on',
    daemon: 'revive',
    load: () => import('./verbs/events.ts'),
  },
  log: {
    group: 'Look',
    usage: 'log',
    summary: 'what happened, in words; --auto: only what happened by itself',
    daemon: 'revive',
    load: () => import('./verbs/log.ts'),
  },
  pause: {
    group: 'Arrange',
    usage: 'pause <id>...',
    summary: 'hold messages after this turn',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/pause.ts'),
  },
  resume: {
    group: 'Arrange',
    usage: 'resume <id>...',
    summary: 'go on, with a new process where the old one is gone',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/resume.ts'),
  },
  stop: {
    group: 'Arrange',
    usage: 'stop <id>...',
    summary: 'end the process; the conversation is kept',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/stop.ts'),
  },
  done: {
    group: 'Arrange',
    usage: 'done <id>...',
    summary: 'what it finished is settled',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/done.ts'),
  },
  rm: {
    group: 'Arrange',
    usage: 'rm <id>...',
    summary: 'remove sessions and their worktrees; refuses to lose work',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/rm.ts'),
  },
  rename: {
    group: 'Arrange',
    usage: 'rename <id> <name>',
    summary: 'give it another name',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/rename.ts'),
  },
  tab: {
    group: 'Arrange',
    usage: 'tab <n> <id> | tab clear <n>',
    summary: 'bind a number from 1 to 9, or free it',
    daemon: 'revive',
    completes: 'ids',
    load: () => import('./verbs/tab.ts'),
  },
  agents: {
    group: 'House',
    usage: 'agents',
    summary: 'which agents this machine has',
    daemon: 'start',
    load: () => import('./verbs/agents.ts'),
  },
  trust: {
    group: 'House',
    usage: 'trust <repo>',
    summary: 'read what a repository wants to run for new sessions, and allow it',
    daemon: 'start',
    load: () => import('./verbs/trust.ts'),
  },
  config: {
    group: 'House',
    usage: 'config [get|set|edit|explain]',
    summary: 'settings, where each comes from',
    daemon: 'none',
    completes: ['get', 'set', 'edit', 'explain'],
    load: () => import('./verbs/config.ts'),
  },
  doctor: {
    group: 'House',
    usage: 'doctor',
    summary: 'look for what is wrong; --repair mends the journal',
    daemon: 'none',
    load: () => import('./verbs/doctor.ts'),
  },
  completion: {
    group: 'House',
    usage: 'completion bash|zsh|fish',
    summary: 'completion for your shell',
    daemon: 'none',
    completes: ['bash', 'zsh', 'fish'],
    load: () => import('./verbs/completion.ts'),
  },
  quickstart: {
    group: 'House',
    usage: 'quickstart',
    summary: 'the daemon, a demo if there is nothing yet, and the list',
    daemon: 'start',
    isHidden: true,
    load: () => import('./verbs/quickstart.ts'),
  },
  ids: {
    group: 'House',
    usage: 'ids',
    summary: 'what completion offers after a verb that takes sessions',
    daemon: 'none',
    isHidden: true,
    load: () => import('./verbs/ids.ts'),
  },
};

/** Verbs with a place of their own that this version cannot do yet. */
export const laterVerbs: ReadonlySet<string> = new Set(
  [
    'queue slots hosts next open messages give approve deny answer snooze undo sleep wake pin away back focus mute',
    'fork switch handoff teleport adopt release eject merge pr land checks restore tidy timeline report sim pair',
    'devices audit fleet search mcp rules notify claude codex opencode gemini copilot',
  ].flatMap((line) => line.split(' ')),
);
