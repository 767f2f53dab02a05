/** What the command line exits with; the table of `concert --help` is made from this. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notRunning: 4,
  needsYou: 5,
  stale: 6,
  refused: 7,
  timeout: 124,
  interrupted: 130,
} as const;

interface ErrorRow {
  http: number;
  exit: number;
  /** Shown when the refusal itself brings no better one. */
  hint: string;
}

/** Every code that may cross a process boundary, with its HTTP status, exit code and hint. No other file decides these. */
export const errorCodes = {
  'request/invalid': { http: 400, exit: exitCodes.usage, hint: 'concert --help' },
  'request/too-large': { http: 413, exit: exitCodes.usage, hint: 'Send less at once' },
  'request/unauthorized': { http: 401, exit: exitCodes.refused, hint: 'Use the socket of your own home' },
  'request/unknown-path': { http: 404, exit: exitCodes.notFound, hint: 'concert doctor' },
  'request/not-built-yet': { http: 501, exit: exitCodes.usage, hint: 'See CHANGELOG.md for what this version can do' },
  'daemon/not-running': { http: 503, exit: exitCodes.notRunning, hint: 'concert up' },
  'daemon/already-running': { http: 409, exit: exitCodes.failed, hint: 'concert status' },
  'daemon/read-only': { http: 503, exit: exitCodes.failed, hint: 'concert doctor' },
  'daemon/overloaded': { http: 503, exit: exitCodes.failed, hint: 'Try again in a second' },
  'daemon/internal': { http: 500, exit: exitCodes.failed, hint: 'concert doctor' },
  'home/unusable': { http: 503, exit: exitCodes.failed, hint: 'concert doctor' },
  'home/socket-path-too-long': {
    http: 503,
    exit: exitCodes.failed,
    hint: 'Set CONCERT_RUNTIME_DIR to a short folder of your own',
  },
  'config/invalid': { http: 400, exit: exitCodes.usage, hint: 'concert config explain' },
  'session/not-found': { http: 404, exit: exitCodes.notFound, hint: 'concert ls' },
  'session/ambiguous': { http: 409, exit: exitCodes.usage, hint: 'Type more of the id' },
  'session/not-live': { http: 409, exit: exitCodes.refused, hint: 'concert resume <id>' },
  'session/live': { http: 409, exit: exitCodes.refused, hint: 'concert stop <id>' },
  'session/wrong-state': { http: 409, exit: exitCodes.refused, hint: 'concert explain <id>' },
  'session/name-taken': { http: 409, exit: exitCodes.refused, hint: 'Choose another name' },
  'session/not-driver': { http: 409, exit: exitCodes.refused, hint: 'concert attach <id> --take' },
  'session/cannot-resume': { http: 409, exit: exitCodes.refused, hint: 'concert logs <id>' },
  'session/log-damaged': { http: 500, exit: exitCodes.failed, hint: 'concert doctor' },
  'task/not-found': { http: 404, exit: exitCodes.notFound, hint: 'concert ls' },
  'tab/taken': { http: 409, exit: exitCodes.refused, hint: 'concert tab clear <n>' },
  'tab/invalid': { http: 400, exit: exitCodes.usage, hint: 'Tabs are 1 to 9' },
  'ask/stale': { http: 409, exit: exitCodes.stale, hint: 'concert next' },
  'agent/unknown': { http: 400, exit: exitCodes.usage, hint: 'concert agents' },
  'agent/not-installed': { http: 409, exit: exitCodes.refused, hint: 'concert agents' },
  'agent/binary-missing': { http: 409, exit: exitCodes.failed, hint: 'Install the program or give its full path' },
  'agent/cannot': { http: 409, exit: exitCodes.refused, hint: 'concert explain <id>' },
  'git/missing': { http: 409, exit: exitCodes.failed, hint: 'Install git, or use --in-place outside a repository' },
  'git/not-a-repository': { http: 409, exit: exitCodes.failed, hint: 'Use --in-place, or run git init first' },
  'git/no-commits': { http: 409, exit: exitCodes.failed, hint: 'Make a first commit, or use --in-place' },
  'git/branch-in-use': { http: 409, exit: exitCodes.refused, hint: 'Choose another name' },
  'git/invalid-name': { http: 400, exit: exitCodes.usage, hint: 'Use letters, digits, dots, dashes and slashes' },
  'git/unsafe-removal': { http: 409, exit: exitCodes.refused, hint: 'concert diff <id>' },
  'git/failed': { http: 500, exit: exitCodes.failed, hint: 'concert log' },
  'git/timeout': { http: 504, exit: exitCodes.failed, hint: 'Try again' },
  'project/untrusted': { http: 409, exit: exitCodes.refused, hint: 'concert trust <repo>' },
  'project/setup-failed': { http: 500, exit: exitCodes.failed, hint: 'concert logs <id>' },
  'holder/unreachable': { http: 503, exit: exitCodes.failed, hint: 'concert doctor' },
  'holder/stale-epoch': { http: 409, exit: exitCodes.failed, hint: 'Another daemon took over: concert status' },
  'holder/full': { http: 503, exit: exitCodes.failed, hint: 'concert doctor' },
  'disk/full': { http: 507, exit: exitCodes.failed, hint: 'Free space; sessions are kept' },
  'disk/read-only': { http: 507, exit: exitCodes.failed, hint: 'Make the folder writable' },
  'disk/failing': { http: 507, exit: exitCodes.failed, hint: 'Check the disk; sessions are kept' },
  'journal/damaged': { http: 503, exit: exitCodes.failed, hint: 'concert doctor --repair' },
  'journal/newer': { http: 503, exit: exitCodes.failed, hint: 'Install the newer version again' },
  'journal/fenced': { http: 503, exit: exitCodes.failed, hint: 'Another daemon took over: concert status' },
  'blob/damaged': { http: 500, exit: exitCodes.failed, hint: 'Send it again' },
  'fleet/no-slot': { http: 409, exit: exitCodes.refused, hint: 'concert ls' },
  'git/unknown-ref': { http: 409, exit: exitCodes.usage, hint: 'git branch --all' },
  'project/invalid': { http: 409, exit: exitCodes.refused, hint: 'Repair .concert/project.json' },
  'service/unsupported': { http: 501, exit: exitCodes.failed, hint: 'concert up works without a service' },
  'wait/timeout': { http: 408, exit: exitCodes.timeout, hint: 'concert ls' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorCodes;
