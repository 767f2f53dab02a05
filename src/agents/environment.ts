/** What a session inherits, and which of those names must never be journaled or shown. */
export interface FilteredEnvironment {
  env: Record<string, string>;
  /** Names in `env` that look like they carry a secret. Pass the values on; keep them out of journal, logs and screens. */
  secretNames: readonly string[];
}

/**
 * The caller's environment cut down to an allow-list: the common names, plus `extra` of the agent. What describes the
 * caller's own terminal, editor or Concertmaster session never passes, not even when `extra` names it: agents choose
 * features by it and would misbehave in a terminal of ours.
 */
export function filterEnvironment(
  caller: Readonly<Record<string, string | undefined>>,
  extra: readonly string[] = [],
): FilteredEnvironment {
  const isAllowed = matcher([...commonNames, ...extra]);
  const env: Record<string, string> = {};
  const secretNames: string[] = [];
  for (const [name, value] of Object.entries(caller)) {
    if (value === undefined || !isName.test(name) || value.includes('\0')) continue;
    if (!isAllowed(name) || isForeign(name)) continue;
    env[name] = value;
    if (looksSecret(name, value)) secretNames.push(name);
  }
  return { env, secretNames };
}

/** What every session is told about its terminal: the one of `screen/`, whatever the person sits in front of. */
export const terminalEnvironment: Readonly<Record<string, string>> = {
  TERM: 'xterm-256color',
  COLORTERM: 'truecolor',
};

const isName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A trailing `*` stands for any ending. */
const commonNames = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'LC_*', 'TZ', 'TMPDIR'],
  ...['EDITOR', 'VISUAL', 'PAGER', 'LESS', 'NO_COLOR', 'BROWSER', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'],
  // Keyrings and agents that hold sign-ins, so that the person's own accounts work.
  ...['SSH_AUTH_SOCK', 'DBUS_SESSION_BUS_ADDRESS', 'GNUPGHOME'],
  ...['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME', 'XDG_DATA_DIRS'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  ...['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL', 'GIT_SSH', 'GIT_SSH_COMMAND'],
  // Where toolchains live.
  ...['NVM_DIR', 'NVM_BIN', 'FNM_*', 'VOLTA_HOME', 'PNPM_HOME', 'BUN_INSTALL', 'DENO_DIR', 'COREPACK_HOME'],
  ...['PYENV_ROOT', 'VIRTUAL_ENV', 'CONDA_PREFIX', 'CONDA_DEFAULT_ENV', 'UV_CACHE_DIR', 'POETRY_HOME'],
  ...['RBENV_ROOT', 'GEM_HOME', 'GEM_PATH', 'GOPATH', 'GOROOT', 'GOBIN', 'CARGO_HOME', 'RUSTUP_HOME'],
  ...['JAVA_HOME', 'GRADLE_USER_HOME', 'MAVEN_HOME', 'ANDROID_HOME', 'ANDROID_SDK_ROOT', 'FLUTTER_ROOT', 'DOTNET_ROOT'],
  ...['ASDF_DIR', 'ASDF_DATA_DIR', 'MISE_*', 'HOMEBREW_*', 'NIX_PATH', 'NIX_PROFILES', 'NIX_SSL_CERT_FILE'],
  ...['DOCKER_HOST', 'DOCKER_CONTEXT', 'KUBECONFIG', 'AWS_PROFILE', 'AWS_REGION'],
];

/** Describes the caller's surroundings, misdirects git, or loads foreign code into every program started. */
const foreignNames = [
  ...['TERM', 'TERM_*', 'COLORTERM', 'COLUMNS', 'LINES', 'WINDOWID', 'TMUX', 'TMUX_*', 'STY', 'WINDOW', 'ZELLIJ*'],
  ...[
    'KITTY_*',
    'ITERM_*',
    'LC_TERMINAL*',
    'WEZTERM_*',
    'ALACRITTY_*',
    'GHOSTTY_*',
    'WT_*',
    'VTE_VERSION',
    'KONSOLE_*',
  ],
  ...['VSCODE_*', 'CURSOR_*', 'NVIM', 'NVIM_*', 'VIM', 'VIMRUNTIME', 'INSIDE_EMACS', 'TERMINAL_EMULATOR', 'ZED_*'],
  ...['CONCERT_*', 'CLAUDECODE', 'CLAUDE_CODE_ENTRYPOINT', 'CLAUDE_CODE_SSE_PORT'],
  ...[
    'GIT_DIR',
    'GIT_WORK_TREE',
    'GIT_INDEX_FILE',
    'GIT_OBJECT_DIRECTORY',
    'GIT_COMMON_DIR',
    'GIT_CONFIG*',
    'GIT_ASKPASS',
  ],
  ...['NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'NODE_CHANNEL_FD', 'ELECTRON_*', 'LD_*', 'DYLD_*', 'BASH_ENV', 'ENV'],
];

const isForeign = matcher(foreignNames);

function matcher(names: readonly string[]): (name: string) => boolean {
  const exact = new Set(names.filter((name) => !name.endsWith('*')));
  const starts = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return (name) => exact.has(name) || starts.some((start) => name.startsWith(start));
}

/** By its name, or because it is an address with a password in it. */
function looksSecret(name: string, value: string): boolean {
  if (/:\/\/[^/\s]*:[^/\s]*@/.test(value)) return true;
  return !holdsNoSecret.has(name) && secretWord.test(name);
}

/** Rather one name too many: what is flagged only stays out of sight. */
const secretWord =
  /TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|APIKEY|PRIVATE|(^|_)(KEYS?|AUTH|PASS|PWD|PAT|COOKIE|BEARER|DSN)(_|$)/i;
const holdsNoSecret = new Set(['SSH_AUTH_SOCK', 'PWD', 'OLDPWD']);
